// A class on the local network: HTTPS with the certificate the server made itself.
import { test, expect } from '@playwright/test';
import { audioEnergy, launch, showsPattern } from '../lib/browser.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test('trainer and learner meet over a generated certificate', async () => {
  const server = await Server.start({ https: true });
  const trainers = await launch({ pattern: true });
  const learners = await launch();
  try {
    const room = server.newClass('Lớp trong mạng nội bộ');
    const options = { ignoreHTTPSErrors: true, locale: 'vi-VN', viewport: { width: 1280, height: 720 } };
    await enter(await trainers.newContext(options), server.link(room, 'trainer'), {
      name: 'Nguyễn Thị Hạnh',
      mic: true,
      camera: true,
    });
    const learner = await enter(await learners.newContext(options), server.link(room, 'learner'), { name: 'Trần Văn An' });
    await expect.poll(() => showsPattern(learner), { timeout: 60_000 }).toBe(true);
    await expect.poll(() => audioEnergy(learner), { timeout: 45_000 }).toBeGreaterThan(0.001);
  } finally {
    await trainers.close();
    await learners.close();
    await server.close();
  }
});
