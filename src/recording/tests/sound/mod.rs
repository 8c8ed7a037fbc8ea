//! Encoded sound.

/// Packets of 20 ms: a tone.
pub fn opus(seconds: u64) -> Vec<Vec<u8>> {
    let mut encoder =
        opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
    let mut number = 0_u32;
    let packets = (0..seconds * 50).map(|_| {
        let pcm: Vec<f32> = (0..960)
            .map(|_| {
                number += 1;
                0.3 * (number as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin()
            })
            .collect();
        encoder.encode_vec_float(&pcm, 1_500).unwrap()
    });
    packets.collect()
}
