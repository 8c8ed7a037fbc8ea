// The models the surface works with.
import type { DevicesModel, JoinModel } from './contract';
import { Devices } from './devices.svelte';
import { Join } from './join';

export type * from './contract';

export function createDevices(): DevicesModel {
  return new Devices();
}

/** `devices` must come from `createDevices`. */
export function createJoin(link: string, devices: DevicesModel): JoinModel {
  if (!(devices instanceof Devices)) throw new TypeError('devices of another make');
  return new Join(link, devices);
}
