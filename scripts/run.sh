#!/usr/bin/env bash
# Starts the server with a demo class and shows its links for people. Further
# arguments go to `lophoc serve`.
set -euo pipefail
cd "$(dirname "$0")/.."

show() {
  # The server ends at Ctrl-C; what it says last is still shown.
  trap '' INT TERM
  local kind role url
  while read -r kind role url; do
    case "$kind $role" in
      'demo organiser') printf '\n  Ban tổ chức (organiser)\n    %s\n' "$url" ;;
      'demo trainer') printf '\n  Người dạy (trainer)\n    %s\n' "$url" ;;
      'demo learner') printf '\n  Người học (learner)\n    %s\n' "$url" ;;
      'demo account') printf '\n  Đăng nhập ban tổ chức / organiser sign-in: /sign-in\n    %s\n' "$url" ;;
      'first account') printf '\n  Quản trị hệ thống / administrator, shown this once:\n    %s\n' "$url" ;;
      ready*)
        printf '\nLớp mẫu đã mở. Hãy mở liên kết người dạy ở một trình duyệt và liên kết người học ở trình duyệt khác.\n'
        printf 'The demo class is open: the trainer'\''s link in one browser, the learner'\''s in another.\n'
        printf 'Ctrl-C để dừng / to stop.\n\n'
        ;;
      *) printf '%s %s %s\n' "$kind" "$role" "$url" ;;
    esac
  done
}

exec target/release/lophoc serve --demo "$@" > >(show)
