import { describe, expect, it } from 'vitest';
import { crashCode, crashReport } from './crash';

function broken(message: string): Error {
  const error = new TypeError(message);
  error.stack = `TypeError: ${message}\n    at draw (https://hop.example.vn/assets/room-D2.js:3:77)\n    at https://hop.example.vn/j/secret-link`;
  return error;
}

describe('what is told about a fault', () => {
  it('has the same code for the same fault, and another one for another', () => {
    expect(crashCode(broken('x is null'))).toMatch(/^[0-9A-F]{4}-[0-9A-F]{4}$/u);
    expect(crashCode(broken('x is null'))).toBe(crashCode(broken('x is null')));
    expect(crashCode(broken('x is null'))).not.toBe(crashCode(broken('y is null')));
    expect(crashCode('no error at all')).toBe(crashCode(undefined));
  });

  it('holds code, time, browser and place, but no address of the page', () => {
    const report = crashReport(broken('cannot load https://hop.example.vn/j/secret-link'), new Date(0), 'agent/1');
    expect(report).toContain(crashCode(broken('cannot load https://hop.example.vn/j/secret-link')));
    expect(report).toContain('1970-01-01T00:00:00.000Z');
    expect(report).toContain('room-D2.js:3:77');
    expect(report).not.toContain('hop.example.vn');
  });
});
