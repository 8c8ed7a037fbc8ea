// Shared notes in real browsers: two people write at once, a third reads; nothing is lost by reload or crash.
import { readFile } from "node:fs/promises";
import { test, expect, type Browser, type Page } from "@playwright/test";
import { accessible } from "../lib/axe.ts";
import { foreignRequests, launch, person, PHONE } from "../lib/browser.ts";
import { picture, pictured } from "../lib/picture.ts";
import { enter, inRoom, press } from "../lib/room.ts";
import { Server } from "../lib/server.ts";

test.describe.configure({ mode: "serial" });

let server: Server;
let browser: Browser;
let trainer: Page;
let secretary: Page;
let learner: Page;
let room: string;

const area = (page: Page) => page.getByTestId("notes-area");
const saved = (page: Page) =>
  expect(page.getByTestId("notes-state")).toContainText("Đã lưu");

async function panel(page: Page): Promise<void> {
  await press(page, "more");
  await press(page, "open-notes");
}

/** Puts the caret to a place and types there, as a person would. */
async function typeAt(page: Page, at: "start" | "end", text: string) {
  await area(page).focus();
  await page.keyboard.press(at === "start" ? "Control+Home" : "Control+End");
  await page.keyboard.type(text);
}

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass("Bồi dưỡng giáo viên: ghi chú");
  browser = await launch();
  const join = async (
    role: "trainer" | "adviser" | "learner",
    name: string,
    phone?: typeof PHONE,
  ) =>
    enter(
      await person(browser, server.origin, phone),
      server.link(room, role, name),
    );
  trainer = await join("trainer", "Nguyễn Thị Hạnh");
  secretary = await join("adviser", "Lê Thị Thư");
  learner = await join("learner", "Trần Văn An", PHONE);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test("two write at once and have the same text; a learner reads it as it is meant", async () => {
  for (const page of [trainer, secretary, learner]) await panel(page);
  await typeAt(trainer, "end", "# Buổi 3\n- **ý một**\n");
  await saved(trainer);
  await expect(area(secretary)).toHaveValue("# Buổi 3\n- **ý một**\n");
  await Promise.all([
    typeAt(trainer, "end", "- ý hai của cô Hạnh\n"),
    typeAt(secretary, "start", "Ghi bởi Thư\n"),
  ]);
  const whole = "Ghi bởi Thư\n# Buổi 3\n- **ý một**\n- ý hai của cô Hạnh\n";
  await expect(area(trainer)).toHaveValue(whole);
  await expect(area(secretary)).toHaveValue(whole);
  await saved(trainer);
  await saved(secretary);
  const text = learner.getByTestId("notes-text");
  await expect(text.locator("h3")).toHaveText("Buổi 3");
  await expect(text.locator("li")).toHaveText(["ý một", "ý hai của cô Hạnh"]);
  await expect(text.locator("strong")).toHaveText("ý một");
  await expect(area(learner)).toHaveCount(0);
  await expect(learner.getByTestId("notes-authors")).toContainText(
    "Lê Thị Thư",
  );
});

test("learners write when it is opened to them, and no longer when it is closed", async () => {
  const permit = async (on: boolean) => {
    await press(trainer, "more");
    await press(trainer, "open-permits");
    await trainer.getByTestId("permit-notes").click();
    await expect(trainer.getByTestId("permit-notes")).toHaveAttribute(
      "aria-checked",
      String(on),
    );
    await trainer.keyboard.press("Escape");
  };
  await permit(true);
  await typeAt(learner, "end", "- em An ghi thêm\n");
  await expect(area(trainer)).toHaveValue(/- em An ghi thêm\n$/);
  await saved(learner);
  await permit(false);
  await expect(area(learner)).toHaveCount(0);
});

test("what is written while the server is dead comes in afterwards; a reload loses nothing", async () => {
  await server.down("SIGKILL");
  await typeAt(trainer, "end", "- viết khi mất máy chủ\n");
  await typeAt(secretary, "start", "(bản nháp) ");
  await server.up();
  for (const page of [trainer, secretary]) {
    await expect(area(page)).toHaveValue(
      /^\(bản nháp\) Ghi bởi Thư\n[^]*- viết khi mất máy chủ\n$/,
      { timeout: 60_000 },
    );
    await saved(page);
  }
  await learner.reload();
  await inRoom(learner);
  await panel(learner);
  await expect(learner.getByTestId("notes-text")).toContainText(
    "viết khi mất máy chủ",
  );
});

test("notes are saved as a file; axe finds nothing", async () => {
  const [file] = await Promise.all([
    learner.waitForEvent("download"),
    press(learner, "notes-md"),
  ]);
  expect(file.suggestedFilename()).toMatch(/ghi chú\.md$/);
  const text = (await readFile(await file.path())).toString();
  expect(text).toBe(await area(trainer).inputValue());
  await accessible(trainer, "notes, trainer");
  await accessible(learner, "notes, phone");
  if (pictured) {
    await picture(trainer, "notes-trainer");
    await picture(learner, "notes-phone");
    await press(secretary, "more");
    await press(secretary, "theme");
    await secretary.keyboard.press("Escape");
    await press(secretary, "notes-read");
    await picture(secretary, "notes-light");
  }
  expect(foreignRequests).toEqual([]);
});
