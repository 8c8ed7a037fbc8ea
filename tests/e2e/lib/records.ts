// Pages of classes and attendance: signing in, and /api/v1 where a play only needs its result.
import { expect, type BrowserContext, type Page } from '@playwright/test';
import { Server } from './server.ts';

/** A server with the demo class: 36 learners, a past session, an open room. */
export async function demoServer(): Promise<Server> {
  return Server.start({ demo: true });
}

/** Signs in by the page and waits until it has left. */
export async function signIn(page: Page, server: Server, login = 'demo', password = server.demoPassword): Promise<void> {
  await page.goto(`${server.origin}/sign-in`);
  await page.getByLabel('Tên đăng nhập').fill(login);
  await page.getByLabel('Mật khẩu', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Đăng nhập', exact: true }).click();
  await expect(page).not.toHaveURL(/sign-in/);
}

/** The API with the cookies of somebody's browser. */
export class Api {
  constructor(
    private readonly context: BrowserContext,
    private readonly server: Server,
  ) {}

  async get<T>(path: string): Promise<T> {
    const answer = await this.context.request.get(`${this.server.origin}/api/v1${path}`);
    expect(answer.ok(), `GET ${path}: ${answer.status()}`).toBe(true);
    return (await answer.json()) as T;
  }

  async post<T>(path: string, data: unknown): Promise<T> {
    const answer = await this.context.request.post(`${this.server.origin}/api/v1${path}`, {
      data,
      headers: { 'X-Lophoc': '1', Origin: this.server.origin },
    });
    expect(answer.ok(), `POST ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    const text = await answer.text();
    return (text === '' ? null : JSON.parse(text)) as T;
  }
}

export interface SessionLine {
  id: string;
  no: number;
  phase: string;
}

/** The demo class and its past session. */
export async function demoClass(api: Api): Promise<{ id: string; title: string; past: SessionLine; room: SessionLine }> {
  const found = await api.get<{ items: { id: string; title: string }[] }>('/classes');
  const first = found.items[0]!;
  const { sessions } = await api.get<{ sessions: SessionLine[] }>(`/classes/${first.id}`);
  const past = sessions.find((one) => one.phase === 'ended')!;
  const room = sessions.find((one) => one.phase !== 'ended')!;
  return { ...first, past, room };
}

/** Adds a session that begins in some minutes and can be entered now. */
export async function addSession(api: Api, classId: string, title: string, waiting: boolean): Promise<SessionLine> {
  const startsMs = Date.now() + 10 * 60_000;
  return api.post<SessionLine>(`/classes/${classId}/sessions`, {
    title,
    startsMs,
    endsMs: startsMs + 90 * 60_000,
    mode: 'discussion',
    rehearsalMin: 30,
    waiting,
    counts: true,
    place: '',
  });
}

export interface PersonalLink {
  person: string | null;
  name: string;
  role: string;
  url: string;
}

/** Personal links of a session: of its organiser and of its learners. */
export async function links(api: Api, classId: string, session: string): Promise<{ organiser: PersonalLink; learners: PersonalLink[] }> {
  const all = await api.get<PersonalLink[]>(`/classes/${classId}/links?session=${session}`);
  return {
    organiser: all.find((one) => one.role === 'organiser')!,
    learners: all.filter((one) => one.role === 'learner'),
  };
}
