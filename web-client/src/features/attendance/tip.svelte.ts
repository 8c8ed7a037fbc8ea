// One small tip for all lines of a page: what is under the pointer or has the focus.

export const tip = $state({ text: '', x: 0, y: 0 });

export function showTip(text: string, x: number, y: number): void {
  tip.text = text;
  tip.x = x;
  tip.y = y;
}

export function hideTip(): void {
  tip.text = '';
}
