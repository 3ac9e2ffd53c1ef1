import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The server that answers /api and /tiles while the page is being worked on.
const server = process.env.CUNTONG_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  resolve: {
    alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) },
    // Component tests need the browser build of Svelte, not the one for server rendering.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    // The oldest browser we promise: the last Chromium for Windows 7, common in county bureaus.
    target: 'chrome109',
    // A data: URL would need a wider Content-Security-Policy; every asset stays a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MapLibre alone is above the usual warning line; the budget is in e2e/budget.test.ts.
    chunkSizeWarningLimit: 1600,
  },
  server: {
    proxy: {
      '/api': { target: server, changeOrigin: false },
      '/tiles': { target: server, changeOrigin: false },
    },
  },
  test: {
    // Tests that need a document say so themselves: // @vitest-environment jsdom
    environment: 'node',
    // Else stylesheets arrive empty, and the colours of the map could not be compared with them.
    css: true,
    include: ['src/**/*.test.ts'],
  },
});
