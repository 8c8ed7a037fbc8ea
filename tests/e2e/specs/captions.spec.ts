// Captions in real browsers: the task is handed over, two people type by turns, everybody reads, nothing is lost.
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
let typist: Page;
let learner: Page;
let room: string;

const shown = (page: Page) => page.getByTestId("caption-line");
const written = (page: Page) => page.getByTestId("transcript-line");

async function hand(name: string): Promise<void> {
  await press(trainer, "open-people");
  const row = trainer.getByTestId("person").filter({ hasText: name });
  await row.getByRole("button").last().click();
  await press(trainer, "captioner");
  await expect(row).toContainText("Ghi phụ đề");
  await press(trainer, "open-people");
}

async function type(page: Page, text: string): Promise<void> {
  await page.getByTestId("caption-input").fill(text);
  await page.getByTestId("caption-input").press("Enter");
  await expect(page.getByTestId("caption-input")).toHaveValue("");
}

async function panel(page: Page): Promise<void> {
  await press(page, "more");
  await press(page, "open-captions");
}

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass("Bồi dưỡng giáo viên: phụ đề");
  browser = await launch();
  const join = async (
    role: "trainer" | "guest" | "learner",
    name: string,
    phone?: typeof PHONE,
  ) =>
    enter(
      await person(browser, server.origin, phone),
      server.link(room, role, name),
    );
  trainer = await join("trainer", "Nguyễn Thị Hạnh");
  typist = await join("guest", "Lê Thị Thư");
  learner = await join("learner", "Trần Văn An", PHONE);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test("the task is handed over; a line is seen while it is typed and when it is done", async () => {
  await hand("Lê Thị Thư");
  await expect(
    typist.getByTestId("room").getByText("Bạn được giao ghi phụ đề."),
  ).toBeVisible();
  await panel(typist);
  await press(learner, "more");
  await press(learner, "captions-switch");
  await typist.getByTestId("caption-input").pressSequentially("Chào các em, hôm");
  await expect(learner.getByTestId("caption-draft")).toHaveText(/^Chào/);
  await type(typist, "Chào các em, hôm nay học <phân số>.");
  await expect(shown(learner)).toHaveText([
    "Chào các em, hôm nay học <phân số>.",
  ]);
  await expect(learner.getByTestId("caption-draft")).toHaveCount(0);
  await type(typist, "Mở sách trang 12.");
  await type(typist, "Em nào đọc đề bài?");
  await expect(shown(learner)).toHaveText([
    "Mở sách trang 12.",
    "Em nào đọc đề bài?",
  ]);
});

test("another takes his turn, in English; who reads chooses", async () => {
  await hand("Nguyễn Thị Hạnh");
  await panel(trainer);
  await press(trainer, "caption-in-en");
  await type(trainer, "Open your books.");
  await panel(learner);
  await expect(written(learner)).toHaveCount(3);
  await press(learner, "captions-lang-en");
  await expect(written(learner)).toHaveText(/Open your books/);
  await press(learner, "captions-lang-vi");
  await press(learner, "captions-size-3");
});

test("a reload keeps the choice and the lines, a death of the server too", async () => {
  await learner.reload();
  await inRoom(learner);
  await expect(shown(learner)).toHaveCount(2);
  await server.down("SIGKILL");
  await type(typist, "Dòng gõ khi mất máy chủ.");
  await server.up();
  await expect(shown(learner).last()).toHaveText("Dòng gõ khi mất máy chủ.", {
    timeout: 60_000,
  });
  await panel(learner);
  await expect(written(learner)).toHaveCount(4);
  await type(typist, "Và dòng sau đó.");
  await expect(written(learner)).toHaveCount(5);
});

test("who comes late has the lines, and anybody saves them as WebVTT", async () => {
  const late = await enter(
    await person(browser, server.origin),
    server.link(room, "learner", "Đỗ Văn Muộn"),
  );
  await panel(late);
  await expect(written(late)).toHaveCount(5);
  const [file] = await Promise.all([
    late.waitForEvent("download"),
    press(late, "captions-save"),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.vtt$/);
  const text = (await readFile(await file.path())).toString();
  expect(text).toMatch(/^WEBVTT\n/);
  expect(text.match(/ --> /g)).toHaveLength(5);
  expect(text).toContain("Chào các em, hôm nay học &lt;phân số&gt;.");
  expect(text).not.toContain("Open your books");
  await late.context().close();
});

test("axe finds nothing, by keyboard too; the task is laid down", async () => {
  await accessible(typist, "captions, typist");
  await accessible(learner, "captions, phone");
  if (pictured) {
    await typist
      .getByTestId("caption-input")
      .fill("Dòng thứ ba đang được gõ");
    await trainer.getByTestId("captions-on").check();
    await expect(shown(trainer)).toHaveCount(1);
    await picture(trainer, "captions-trainer");
    await picture(typist, "captions-typist");
    await picture(learner, "captions-phone");
    await press(learner, "open-chat");
    await press(learner, "open-chat");
    await press(trainer, "more");
    await press(trainer, "theme");
    await trainer.keyboard.press("Escape");
    await picture(trainer, "captions-light");
    await expect(learner.getByTestId("caption-draft")).toBeVisible();
    await picture(learner, "captions-phone-stage");
  }
  await typist.getByTestId("caption-lay-down").focus();
  await typist.keyboard.press("Enter");
  await expect(typist.getByTestId("caption-input")).toHaveCount(0);
  await typist.getByTestId("captions-list").focus();
  await typist.keyboard.press("l");
  await expect(shown(typist)).toHaveCount(2);
  expect(foreignRequests).toEqual([]);
});
