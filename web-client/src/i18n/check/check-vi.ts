// Words of the check of devices and network, in Vietnamese.
import type { Shape } from '../records-vi';

export const checkVi = {
  'check.title': 'Kiểm tra thiết bị và mạng',
  'check.devices': 'Thiết bị',
  'check.network': 'Đường truyền',
  'check.networkText': 'Phần này tự chạy, mất khoảng 15 giây.',
  'check.again': 'Kiểm tra lại đường truyền',
  'check.browser': 'Trình duyệt',
  'check.camera': 'Camera',
  'check.microphone': 'Micro',
  'check.speaker': 'Loa',
  'check.websocket': 'Kết nối điều khiển lớp học (WebSocket)',
  'check.udp': 'Âm thanh, hình ảnh: đường chính (UDP)',
  'check.tcp': 'Âm thanh, hình ảnh: dự phòng (TCP)',
  'check.turn': 'Âm thanh, hình ảnh: qua máy chủ chuyển tiếp (TURN)',
  'check.good': 'Tốt',
  'check.goodRtt': (ms: number) => `Tốt · ${ms} ms`,
  'check.goodQuick': 'Tốt · dưới 1 ms',
  'check.rttNote': 'Số ms là thời gian một gói tin đi và về: dưới 150 là tốt, trên 300 thì nói chuyện thấy trễ.',
  'check.running': 'Đang thử…',
  'check.waiting': 'Chờ thử',
  'check.failed': 'Không tới được',
  'check.absent': 'Máy chủ không bật',
  'check.untried': 'Chưa thử được',
  'check.secure': 'Dùng được, kết nối bảo mật',
  'check.insecure': 'Trang không dùng https nên trình duyệt chặn micro và camera',
  'check.tooOld': 'Trình duyệt này chưa hỗ trợ',
  'check.cameraTry': 'Hãy bật camera ở trên',
  'check.cameraGood': 'Tốt, đã thấy hình',
  'check.micTry': 'Hãy bật micro ở trên',
  'check.micSpeak': 'Hãy nói thử một câu',
  'check.micGood': 'Tốt, đã nghe tiếng',
  'check.micSilent': 'Không nghe thấy gì: micro có thể đang tắt tiếng hoặc chọn nhầm',
  'check.missing': 'Không tìm thấy thiết bị',
  'check.blocked': 'Trình duyệt đang chặn quyền dùng',
  'check.busy': 'Không mở được, có thể ứng dụng khác đang dùng',
  'check.speakerTry': 'Hãy bấm “Thử loa” ở trên',
  'check.speakerGood': 'Tốt, bạn đã nghe thấy',
  'check.speakerBad': 'Bạn chưa nghe thấy âm thử',

  'verdict.running': 'Đang kiểm tra đường truyền…',
  'verdict.ready': 'Máy và mạng này sẵn sàng',
  'verdict.readyText': 'Bạn nghe, nói và xem được. Đến giờ chỉ cần mở liên kết vào lớp.',
  'verdict.netGood': 'Mạng tốt. Còn thiết bị cần xem lại',
  'verdict.slow': 'Vào lớp được, nhưng mạng này đang chặn đường chính',
  'verdict.slowTcp':
    'Âm thanh, hình ảnh phải đi đường dự phòng (TCP), nên khi mạng yếu sẽ trễ và giật hơn. Hãy gửi đoạn dưới đây cho người quản trị mạng.',
  'verdict.slowTurn':
    'Âm thanh, hình ảnh phải đi vòng qua máy chủ chuyển tiếp (TURN), nên trễ hơn. Hãy gửi đoạn dưới đây cho người quản trị mạng.',
  'verdict.none': 'Âm thanh, hình ảnh chưa tới được máy chủ',
  'verdict.noneText':
    'Với mạng này bạn chưa nghe và xem được lớp học. Hãy gửi đoạn dưới đây cho người quản trị mạng, hoặc thử mạng khác (ví dụ 4G) rồi kiểm tra lại.',
  'verdict.noSocket': 'Kết nối điều khiển lớp học đang bị chặn',
  'verdict.noSocketText':
    'Trang mở được nhưng tường lửa hoặc máy chủ trung gian (proxy) không cho WebSocket đi qua, nên chưa vào lớp được. Hãy gửi đoạn dưới đây cho người quản trị mạng.',
  'verdict.untried': 'Chưa kiểm tra được đường truyền',
  'verdict.untriedBusy': 'Máy chủ đang có nhiều người kiểm tra. Hãy chờ một phút rồi bấm “Kiểm tra lại đường truyền”.',
  'verdict.untriedNetwork': 'Không gọi được máy chủ. Hãy xem lại kết nối mạng của máy rồi kiểm tra lại.',
  'verdict.untriedOld': 'Trình duyệt này không mở được đường truyền âm thanh, hình ảnh.',
  'verdict.left': (parts: string) => `Cần xem lại: ${parts}.`,

  'admin.title': 'Gửi người quản trị mạng',
  'admin.copy': 'Sao chép đoạn này',
  'admin.copied': 'Đã sao chép',
  'admin.hello': 'Kính gửi người quản trị mạng,',
  'admin.why': (host: string) =>
    `Chúng tôi học và họp trực tuyến tại ${host}. Mạng của đơn vị đang chặn một phần đường truyền. Xin mở giúp, chiều từ máy trong mạng đi ra:`,
  'admin.udp': (port: number, hosts: string) =>
    `- Xin mở cổng UDP ${port} tới địa chỉ ${hosts} (âm thanh, hình ảnh, đường chính);`,
  'admin.tcp': (port: number, hosts: string) =>
    `- Xin mở cổng TCP ${port} tới địa chỉ ${hosts} (âm thanh, hình ảnh, dự phòng);`,
  'admin.turn': (transport: string, port: number, hosts: string) =>
    `- Xin mở cổng ${transport} ${port} tới ${hosts} (máy chủ chuyển tiếp TURN, dự phòng);`,
  'admin.websocket': (port: number, hosts: string) =>
    `- Xin cho WebSocket qua cổng TCP ${port} tới ${hosts}, không chặn và không giải mã giữa đường;`,
  'admin.stateful': 'Gói tin trả lời của các kết nối này cũng cần được cho vào. Không cần mở cổng nào từ ngoài vào.',
  'admin.thanks': 'Xin cảm ơn.',

  'preflight.title': 'Kiểm tra trước buổi học',
  'preflight.opening': 'Đang mở trang kiểm tra…',
  'preflight.site': (name: string) => `Điểm cầu: ${name}`,
  'preflight.intro':
    'Hãy kiểm tra bằng đúng máy, loa, micro và mạng sẽ dùng trong buổi học, rồi gửi kết quả cho Ban tổ chức. Trang này không đưa bạn vào lớp.',
  'preflight.sendTitle': 'Gửi kết quả cho Ban tổ chức',
  'preflight.contact': 'Người liên hệ tại điểm cầu',
  'preflight.contactHint': 'Không bắt buộc. Ban tổ chức dùng để gọi khi cần.',
  'preflight.note': 'Ghi chú',
  'preflight.noteHint': 'Không bắt buộc.',
  'preflight.send': 'Gửi kết quả',
  'preflight.sending': 'Đang gửi…',
  'preflight.wait': 'Hãy chờ kiểm tra đường truyền xong.',
  'preflight.sendAsIs': 'Còn mục chưa tốt. Bạn vẫn gửi được để Ban tổ chức biết và hỗ trợ.',
  'preflight.what': 'Chỉ gửi các kết quả ở trên, không gửi tên thiết bị hay địa chỉ mạng.',
  'preflight.failed': 'Chưa gửi được. Hãy thử lại.',
  'preflight.tooOften': 'Vừa gửi nhiều lần. Hãy chờ một phút rồi gửi lại.',
  'preflight.sent': 'Đã gửi kết quả',
  'preflight.sentText': (at: string) =>
    `Ban tổ chức đã nhận kết quả lúc ${at}. Nếu thay đổi máy hoặc mạng, hãy kiểm tra và gửi lại.`,
  'preflight.more': 'Kiểm tra lại',
  'preflight.wrong': 'Liên kết kiểm tra không đúng',
  'preflight.wrongText': 'Hãy sao chép lại toàn bộ liên kết, hoặc xin Ban tổ chức gửi lại.',
  'preflight.expired': 'Liên kết kiểm tra đã hết hạn',
  'preflight.expiredText': 'Hãy xin Ban tổ chức liên kết kiểm tra của buổi sắp tới.',
  'preflight.over': 'Buổi học đã kết thúc',
  'preflight.overText': 'Không cần kiểm tra cho buổi này nữa.',
  'preflight.error': 'Chưa mở được trang kiểm tra',
  'preflight.errorText': 'Máy chủ đang bận hoặc mạng bị gián đoạn. Hãy thử lại sau ít phút.',
};

export type CheckKey = keyof typeof checkVi;

export type CheckCatalogue = Shape<typeof checkVi>;
