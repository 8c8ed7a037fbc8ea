// Debian's Firefox ESR with fake devices, driven over WebDriver BiDi, on a virtual
// display: without one it finds no screen that could be shared.
import { spawn, type ChildProcess } from 'node:child_process';
import { firefox, type Browser, type BrowserType, type LaunchOptions } from '@playwright/test';

/** No camera or microphone of this machine, no question (a screen: the first one), and no request of its own. */
const PREFS: Record<string, string | number | boolean> = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  // Has to be fetched; VP8 is built in.
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
  'app.update.disabledForTesting': true,
  'app.normandy.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
};

interface Session {
  send(method: string, params?: object): Promise<unknown>;
}

/** What lies behind Playwright's objects in the same process. */
interface Inside {
  _connection: { toImpl(object: unknown): { _browserSession: Session } };
}

/** A display nobody sees, and its name. */
async function display(): Promise<{ name: string; child: ChildProcess }> {
  const child = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1366x768x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const name = await new Promise<string>((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`Xvfb ended with ${code}`)));
    child.stdout.once('data', (text: Buffer) => done(`:${text.toString().trim()}`));
  });
  return { name, child };
}

/** `hidden`: it does not tell its addresses, so that all goes the way its own checks go and none past a relay. */
export async function launchFirefox({ hidden = false } = {}): Promise<Browser> {
  const { name, child } = await display();
  // The channel is what makes Playwright speak BiDi instead of its own protocol; it is not among the published options.
  const options: LaunchOptions = {
    channel: 'moz-firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: false,
    env: { ...process.env, DISPLAY: name },
    firefoxUserPrefs: { ...PREFS, 'media.peerconnection.ice.obfuscate_host_addresses': hidden },
  };
  const browser = await (firefox as BrowserType).launch(options);
  browser.on('disconnected', () => child.kill());
  // Every session is of this class: what it sends is put right for the ESR.
  const session = (browser as unknown as Inside)._connection.toImpl(browser)._browserSession;
  const shared = Object.getPrototypeOf(session) as Session & { fitted?: boolean };
  if (!shared.fitted) {
    const { send } = shared;
    shared.send = function (this: Session, method, params) {
      // It knows no override of media features, which Playwright sends for each new profile: its defaults will do.
      return method === 'emulation.setMediaFeaturesOverride' ? Promise.resolve({}) : send.call(this, method, params);
    };
    shared.fitted = true;
  }
  return browser;
}
