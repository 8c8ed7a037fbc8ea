// The test sound of the join page: three soft notes, made here, no file to load.

const NOTES = [523.25, 659.25, 783.99] as const;
const CUE = [587.33, 880] as const;
const NOTE_S = 0.28;

type WithSink = HTMLAudioElement & { setSinkId?(id: string): Promise<void> };

/** Plays the test sound on the chosen speaker; resolves when it is over. */
export function playTestSound(speakerId: string | null): Promise<void> {
  return play(NOTES, speakerId);
}

/** Two notes that rise: a recording begins or goes on. Two that fall: it pauses or has ended. */
export function playRecordCue(on: boolean, speakerId: string | null): Promise<void> {
  return play(on ? CUE : [...CUE].reverse(), speakerId);
}

async function play(notes: readonly number[], speakerId: string | null): Promise<void> {
  if (typeof AudioContext !== 'function') return;
  const context = new AudioContext();
  try {
    await context.resume();
    const out = context.createMediaStreamDestination();
    // Through an element, because only an element can be sent to a chosen speaker everywhere.
    const element: WithSink = document.createElement('audio');
    const routed = speakerId !== null && typeof element.setSinkId === 'function';
    const target: AudioNode = routed ? out : context.destination;
    if (routed) {
      element.srcObject = out.stream;
      await element.setSinkId?.(speakerId).catch(() => undefined);
      await element.play().catch(() => undefined);
    }
    const start = context.currentTime + 0.05;
    notes.forEach((frequency, index) => {
      const at = start + index * NOTE_S;
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S);
      tone.connect(gain).connect(target);
      tone.start(at);
      tone.stop(at + NOTE_S);
    });
    await new Promise((resolve) => setTimeout(resolve, notes.length * NOTE_S * 1_000 + 150));
    element.srcObject = null;
  } finally {
    await context.close().catch(() => undefined);
  }
}
