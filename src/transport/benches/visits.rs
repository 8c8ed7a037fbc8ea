//! What a packet costs per receiver, visited once a frame or once a packet.
//! `cargo bench -p lophoc-transport --features measure`

fn main() {
    lophoc_transport::measure::visits(&[50, 500]);
}
