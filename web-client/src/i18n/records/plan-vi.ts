// Classes: list, plan, sessions, roster, staff.

export const planVi = {
  'soon.title': 'Chưa có nội dung',
  'soon.text': 'Phần này của chương trình chưa sẵn sàng.',
};
