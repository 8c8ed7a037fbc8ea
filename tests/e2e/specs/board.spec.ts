// A whiteboard in real browsers: what the trainer draws the learner sees, each takes back his own, nothing is lost.
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
let learner: Page;
let room: string;

const shapes = (page: Page) =>
  page.getByTestId("shapes").locator("[data-kind]");
const live = (page: Page) => page.getByTestId("live").locator("[data-kind]");

/** A stroke over the board, by parts of its width and height. */
async function stroke(
  page: Page,
  from: [number, number],
  to: [number, number],
  lift = true,
): Promise<void> {
  const box = (await page.getByTestId("ink").boundingBox())!;
  const at = ([x, y]: [number, number]) =>
    [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at([(from[0] + to[0]) / 2, from[1]]), { steps: 5 });
  await page.mouse.move(...at(to), { steps: 5 });
  if (lift) await page.mouse.up();
}

async function permit(on: boolean): Promise<void> {
  await press(trainer, "more");
  await press(trainer, "open-permits");
  await trainer.getByTestId("permit-draw").click();
  await expect(trainer.getByTestId("permit-draw")).toHaveAttribute(
    "aria-checked",
    String(on),
  );
  await trainer.keyboard.press("Escape");
}

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass("Bồi dưỡng giáo viên: bảng trắng");
  browser = await launch();
  trainer = await enter(
    await person(browser, server.origin),
    server.link(room, "trainer"),
    { name: "Nguyễn Thị Hạnh" },
  );
  learner = await enter(
    await person(browser, server.origin, PHONE),
    server.link(room, "learner"),
    { name: "Trần Văn An" },
  );
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test("a board is opened and what is drawn is seen while it is drawn", async () => {
  await press(trainer, "open-docs");
  await press(trainer, "board-open");
  await expect(learner.getByTestId("board")).toBeVisible();
  await expect(learner.getByTestId("tool-pen")).toHaveCount(0);
  await press(trainer, "open-docs");
  await stroke(trainer, [0.2, 0.2], [0.5, 0.4], false);
  await expect(live(learner)).toHaveCount(1);
  await trainer.mouse.up();
  await expect(shapes(learner)).toHaveCount(1);
  await expect(live(learner)).toHaveCount(0);
  await expect(shapes(trainer)).toHaveCount(1);
});

test("shapes and text, by mouse and by keyboard", async () => {
  await press(trainer, "tool-rect");
  await press(trainer, "ink-blue");
  await stroke(trainer, [0.6, 0.2], [0.8, 0.5]);
  await expect(shapes(learner)).toHaveCount(2);
  await trainer.getByTestId("tool-text").focus();
  await trainer.keyboard.press("Enter");
  await trainer.getByTestId("board-text").fill("Công thức: E = mc²");
  await trainer.keyboard.press("Enter");
  await expect(
    shapes(learner).filter({ hasText: "Công thức: E = mc²" }),
  ).toHaveCount(1);
  await expect(learner.getByTestId("board-summary")).toContainText(
    "2 nét vẽ, 1 đoạn chữ",
  );
});

test("who drew it takes it back and does it again; the rubber takes whole figures", async () => {
  await press(trainer, "board-undo");
  await expect(shapes(learner)).toHaveCount(2);
  await trainer.keyboard.press("Control+y");
  await expect(shapes(learner)).toHaveCount(3);
  await press(trainer, "tool-eraser");
  await stroke(trainer, [0.55, 0.35], [0.65, 0.35]);
  await expect(shapes(learner)).toHaveCount(2);
  await trainer.keyboard.press("Control+z");
  await expect(shapes(learner)).toHaveCount(3);
});

test("a learner draws when it is permitted, and erases nothing of others", async () => {
  await permit(true);
  await press(learner, "tool-pen");
  await stroke(learner, [0.2, 0.7], [0.4, 0.9]);
  await expect(shapes(trainer)).toHaveCount(4);
  await press(learner, "tool-eraser");
  await stroke(learner, [0.55, 0.35], [0.65, 0.35]);
  await press(learner, "board-undo");
  await expect(shapes(trainer)).toHaveCount(3);
  await permit(false);
  await expect(learner.getByTestId("tool-pen")).toHaveCount(0);
});

test("a reload loses nothing", async () => {
  await learner.reload();
  await inRoom(learner);
  await expect(shapes(learner)).toHaveCount(3);
});

test("the board is saved as SVG and PDF", async () => {
  const save = async (id: string) => {
    await press(learner, "board-save");
    const [file] = await Promise.all([
      learner.waitForEvent("download"),
      press(learner, id),
    ]);
    return {
      name: file.suggestedFilename(),
      bytes: await readFile(await file.path()),
    };
  };
  const svg = await save("save-svg");
  expect(svg.name).toBe("Bảng trắng 1.svg");
  expect(svg.bytes.toString()).toContain("Công thức: E = mc²");
  expect(svg.bytes.toString().match(/<path /g)).toHaveLength(2);
  const pdf = await save("save-pdf");
  expect(pdf.name).toBe("Bảng trắng.pdf");
  expect(pdf.bytes.subarray(0, 8).toString()).toBe("%PDF-1.4");
  expect(pdf.bytes.length).toBeGreaterThan(10_000);
});

test("axe finds nothing; the board is cleared after a question, and closed", async () => {
  await accessible(trainer, "board, trainer");
  await accessible(learner, "board, phone");
  if (pictured) {
    await picture(trainer, "board-trainer");
    await picture(learner, "board-phone");
  }
  await press(trainer, "board-clear");
  await press(trainer, "confirm-remove-file");
  await expect(shapes(learner)).toHaveCount(0);
  await press(trainer, "board-undo");
  await expect(shapes(learner)).toHaveCount(3);
  await press(trainer, "board-new");
  await expect(learner.getByTestId("ink")).toHaveAttribute("data-board", "w2");
  await press(trainer, "board-hide");
  await expect(learner.getByTestId("board")).toHaveCount(0);
  expect(foreignRequests).toEqual([]);
});
