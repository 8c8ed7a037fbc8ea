import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { fixtureMedia } from './vite.fixture-media.ts';
import { fixturePages } from './vite.fixture-pages.ts';

/** Where the development server finds the API and the websocket. */
const server = process.env.LOPHOC_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [
    svelte({
      dynamicCompileOptions: ({ filename }) => (filename.includes('node_modules') ? undefined : { runes: true }),
    }),
    svelteTesting(),
    fixturePages(),
    fixtureMedia(),
  ],
  build: {
    // The oldest browsers of tier B: Windows 7/8.1, Firefox 115 ESR, iOS 15.6.
    target: ['chrome109', 'firefox115', 'safari15.6'],
    cssMinify: 'lightningcss',
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 2048,
  },
  server: {
    proxy: {
      '/api': { target: server, changeOrigin: true },
      // Pages of slides and files.
      '/s/': { target: server, changeOrigin: true },
      '/media/': { target: server, changeOrigin: true },
      '/f/': { target: server, changeOrigin: true },
      '/rtc': { target: server, ws: true, changeOrigin: true },
    },
  },
  test: {
    // A slow machine is not a fault.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
  },
});
