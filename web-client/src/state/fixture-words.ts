// What is written in the chat of a made-up room.
export const WORDS = [
  'Thầy cho em hỏi phần kiểm tra thường xuyên có tính vào điểm học kỳ không ạ?',
  'Dạ em nghe rõ ạ.',
  'Cô gửi cả lớp tài liệu tại https://example.edu.vn/hoc-lieu/chuong-trinh-2026, mọi người tải về xem trước nhé.',
  'Em cảm ơn cô!',
  'Trường em có 42 lớp, xin phép cử hai tổ trưởng cùng tham dự buổi chiều.',
];
