// Gives a file to the browser's downloads.

/** Characters no system wants in the name of a file. */
const FORBIDDEN = /[/\\:*?"<>|\p{Cc}]/gu;

export function saveBlob(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(FORBIDDEN, '-');
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
