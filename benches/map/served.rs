//! Cold tiles as they are served: thinned, eight layers, brotli.

use std::time::Instant;

use cuntong::map::encoding::Encoding;
use cuntong::map::schema::Layer;
use cuntong::map::timeline::day_of;
use tiles::{Options, Scope};

use super::{Bench, ms, quantile};

pub fn run(bench: &Bench) -> anyhow::Result<()> {
    let day = day_of(bench.clock.business_date());
    let snapshot = std::sync::Arc::clone(&bench.map.published().snapshot);
    let layers: Vec<u16> = [
        Layer::Area,
        Layer::Village,
        Layer::NaturalVillage,
        Layer::Road,
        Layer::WaterScheme,
        Layer::RoadProject,
        Layer::WaterProject,
        Layer::RelocationProject,
    ]
    .map(Layer::index)
    .to_vec();
    println!("\nCold tiles as served: the page's eight layers, staff, thinned (goal: p99 < 50 ms, < 500 KB)");
    println!("zoom tiles  draw p50    p99   +br p50    p99 ms   KB p50 / max  br KB p50 / max");
    for z in 4..=16_u8 {
        let tiles = bench.tiles(z, 300);
        let (mut draw, mut whole, mut plain, mut packed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for &tile in &tiles {
            let begun = Instant::now();
            let encoded = tiles::encode_tile(&snapshot, &layers, tile, &Options::new(day, Scope::STAFF));
            draw.push(begun.elapsed());
            let bytes = Encoding::Brotli.encode(&encoded.bytes)?;
            whole.push(begun.elapsed());
            plain.push(encoded.bytes.len());
            packed.push(bytes.len());
        }
        for list in [&mut draw, &mut whole] {
            list.sort();
        }
        plain.sort_unstable();
        packed.sort_unstable();
        let kb = |list: &[usize]| {
            let at = |i: usize| list.get(i).map_or(0.0, |b| *b as f64 / 1024.0);
            (at(list.len() / 2), at(list.len().saturating_sub(1)))
        };
        let (p, b) = (kb(&plain), kb(&packed));
        println!(
            "{z:>4} {:>5} {:>9.2} {:>6.2} {:>9.2} {:>9.2}  {:>6.1} / {:<6.1} {:>6.1} / {:.1}",
            tiles.len(),
            ms(quantile(&draw, 0.5)),
            ms(quantile(&draw, 0.99)),
            ms(quantile(&whole, 0.5)),
            ms(quantile(&whole, 0.99)),
            p.0,
            p.1,
            b.0,
            b.1
        );
    }
    Ok(())
}
