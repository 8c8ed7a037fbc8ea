// What people do, in the words they see.
import { expect, type BrowserContext, type Page } from '@playwright/test';

export interface EnterOptions {
  name?: string;
  mic?: boolean;
  camera?: boolean;
}

/** Opens the link, allows devices, types a name and enters the room. */
export async function enter(context: BrowserContext, link: string, options: EnterOptions = {}): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`));
  await page.goto(`${link}?e2e=1`);
  const enterButton = page.getByRole('button', { name: 'Vào lớp', exact: true });
  await expect(enterButton).toBeVisible();
  const mic = options.mic ?? false;
  const camera = options.camera ?? false;
  await setToggle(page, 'Micro', mic);
  await setToggle(page, 'Camera', camera);
  const name = page.getByLabel('Họ và tên');
  if (options.name && (await name.isEditable())) await name.fill(options.name);
  await enterButton.click();
  await inRoom(page);
  return page;
}

async function setToggle(page: Page, label: string, on: boolean): Promise<void> {
  const toggle = page.getByTestId(label === 'Micro' ? 'toggle-mic' : 'toggle-camera');
  if (((await toggle.getAttribute('aria-pressed')) === 'true') !== on) await toggle.click();
  await expect(toggle).toHaveAttribute('aria-pressed', String(on));
}

/** Waits until the room is shown and connected. */
export async function inRoom(page: Page): Promise<void> {
  await expect(page.getByTestId('room')).toBeVisible();
  await page.waitForFunction(
    () => (window as unknown as { __lophoc?: { pc: RTCPeerConnection | null } }).__lophoc?.pc?.connectionState === 'connected',
    undefined,
    { timeout: 60_000 },
  );
}

/** Clicks a toolbar button by test id. */
export async function press(page: Page, id: string): Promise<void> {
  await page.getByTestId(id).click();
}
