//! The road network of a county: 县道 between seats, 乡道 to villages, 村道 to natural villages.
//!
//! It grows like a tree from the county seat, every newcomer joining at the nearest node, plus a
//! few cross links between towns. Every segment starts and ends exactly at a node.

use super::dice::Dice;
use super::ground::{Crowd, Point};
use super::places::{NaturalVillage, Village};
use super::seats::Seat;

/// Metres between two vertices: 45 vertices per km.
const VERTEX_SPACING: f64 = 1_000.0 / 45.0;

/// One road built in one go between two junctions; it has one route number.
#[derive(Debug)]
pub struct Link {
    /// X, Y or C.
    pub class: char,
    /// Serial in the county, by class, from 1.
    pub serial: usize,
    /// 起点—终点.
    pub name: String,
    /// Its segments, from start to end.
    pub segments: Vec<usize>,
    /// Metres along the line.
    pub length: f64,
    /// The village that a 乡道 leads to.
    pub village: Option<usize>,
    /// The natural village that a 村道 leads to.
    pub natural_village: Option<usize>,
}

/// A piece of road between two nodes.
#[derive(Debug)]
pub struct Segment {
    /// Node at its first vertex.
    pub from: usize,
    /// Node at its last vertex.
    pub to: usize,
    /// Vertices, nodes included.
    pub points: Vec<Point>,
    /// Metres along the line.
    pub length: f64,
    /// Stake of its start on the link, metres.
    pub stake: f64,
    /// Its link.
    pub link: usize,
}

/// The network of one county.
#[derive(Debug, Default)]
pub struct Network {
    /// Nodes.
    pub nodes: Vec<Point>,
    /// Natural village on whose link a node lies; none for nodes of 县道 and 乡道.
    owner: Vec<Option<usize>>,
    /// Links.
    pub links: Vec<Link>,
    /// Segments.
    pub segments: Vec<Segment>,
    /// Nodes of the town seats, in the order of the towns; the first is the county seat.
    pub seats: Vec<usize>,
    serials: [usize; 3],
}

/// What a link is.
struct Way {
    class: char,
    name: String,
    village: Option<usize>,
    natural_village: Option<usize>,
}

impl Network {
    /// 县道 between the seats of towns. None is built over more than 4 km of sea: islands far out
    /// have a network of their own.
    pub fn between_seats(
        seats: &[Seat],
        town_names: &[String],
        on_land: &dyn Fn(Point) -> bool,
        dice: &mut Dice,
    ) -> Self {
        let at_sea = |a: usize, b: usize| {
            let steps = (seats[a].at.to(seats[b].at) / 500.0).ceil().max(1.0) as usize;
            let wet = |i: &usize| !on_land(seats[a].at.toward(seats[b].at, *i as f64 / steps as f64));
            (0..=steps).filter(wet).count() > 8
        };
        let mut network = Self::default();
        for seat in seats {
            let node = network.node(seat.at, None);
            network.seats.push(node);
        }
        let mut edges: Vec<(usize, usize)> = Vec::new();
        // Prim's tree from the county seat.
        let mut joined = vec![0_usize];
        while joined.len() < seats.len() {
            let mut best: Option<(f64, usize, usize)> = None;
            for &a in &joined {
                for b in 0..seats.len() {
                    let d = seats[a].at.to(seats[b].at);
                    if !joined.contains(&b) && best.is_none_or(|(least, _, _)| d < least) {
                        best = Some((d, a, b));
                    }
                }
            }
            let Some((_, a, b)) = best else { break };
            if !at_sea(a, b) {
                edges.push((a, b));
            }
            joined.push(b);
        }
        // Cross links: to the nearest neighbour that the tree does not lead to directly.
        for a in 0..seats.len() {
            // No third seat between them (Gabriel): else the road would run beside another.
            let between = |b: usize| {
                let (p, q) = (seats[a].at, seats[b].at);
                let (middle, radius) = (p.toward(q, 0.5), p.to(q) / 2.0);
                (0..seats.len()).any(|c| c != a && c != b && seats[c].at.to(middle) < radius)
            };
            let next = (0..seats.len())
                .filter(|b| *b != a && !edges.contains(&(a, *b)) && !edges.contains(&(*b, a)) && !between(*b))
                .min_by(|b, c| seats[a].at.to(seats[*b].at).total_cmp(&seats[a].at.to(seats[*c].at)));
            if let Some(b) = next
                && seats[a].at.to(seats[b].at) < 18_000.0
                && dice.chance(0.6)
                && !at_sea(a, b)
            {
                edges.push((a, b));
            }
        }
        for (a, b) in edges {
            let way = Way {
                class: 'X',
                name: format!("{}—{}", town_names[a], town_names[b]),
                village: None,
                natural_village: None,
            };
            network.build(network.seats[a], network.seats[b], way, 1_000.0, dice);
        }
        network
    }

    /// 乡道 to the villages: each joins the nearest node of what is there already.
    pub fn join_villages(
        &mut self,
        villages: &mut [Village],
        towns: &[String],
        seats: &[Seat],
        dice: &mut Dice,
    ) {
        let mut order: Vec<usize> = (0..villages.len()).collect();
        order.sort_by(|a, b| {
            let d = |i: usize| villages[i].at.to(seats[villages[i].town].at);
            d(*a).total_cmp(&d(*b)).then(a.cmp(b))
        });
        for i in order {
            if !villages[i].listed && !villages[i].on_a_road {
                continue;
            }
            let at = villages[i].at;
            let nearest = self.nearest(at, |_| true);
            villages[i].node = if self.nodes[nearest].to(at) < 60.0 {
                nearest
            } else {
                let end = self.node(at, None);
                let way = Way {
                    class: 'Y',
                    name: format!("{}—{}", towns[villages[i].town], villages[i].short_name),
                    village: Some(i),
                    natural_village: None,
                };
                self.build(nearest, end, way, 700.0, dice);
                end
            };
        }
    }

    /// 村道 to the natural villages of every village, nearest first.
    pub fn join_natural_villages(
        &mut self,
        villages: &[Village],
        naturals: &mut [NaturalVillage],
        dice: &mut Dice,
    ) {
        // 县道 and 乡道 are there; 村道 nodes are only used within one village.
        let trunk = self.nodes.len();
        let mut from = 0;
        while from < naturals.len() {
            let village = naturals[from].village;
            let to = naturals[from..]
                .iter()
                .position(|n| n.village != village)
                .map_or(naturals.len(), |p| from + p);
            let own = self.nodes.len();
            let centre = villages[village].at;
            let mut order: Vec<usize> = (from..to).collect();
            order.sort_by(|a, b| {
                naturals[*a].at.to(centre).total_cmp(&naturals[*b].at.to(centre)).then(a.cmp(b))
            });
            for i in order {
                let at = naturals[i].at;
                let start = self.nearest(at, |n| n < trunk || n >= own);
                // The road ends at the first house, not in the middle of the village.
                let gap = self.nodes[start].to(at);
                let access = at.toward(self.nodes[start], (35.0 / gap.max(1.0)).min(0.4));
                let end = self.node(access, Some(i));
                let way = Way {
                    class: 'C',
                    name: format!("{}—{}", villages[village].short_name, naturals[i].name),
                    village: None,
                    natural_village: Some(i),
                };
                naturals[i].behind = self.owner[start];
                naturals[i].node = end;
                naturals[i].link = self.build(start, end, way, 220.0, dice);
            }
            from = to;
        }
    }

    /// All nodes, for keeping houses off the road.
    pub fn crowd(&self, cell: f64) -> Crowd {
        let mut crowd = Crowd::new(cell);
        for node in &self.nodes {
            crowd.add(*node);
        }
        crowd
    }

    fn node(&mut self, at: Point, owner: Option<usize>) -> usize {
        self.nodes.push(at);
        self.owner.push(owner);
        self.nodes.len() - 1
    }

    fn nearest(&self, at: Point, allowed: impl Fn(usize) -> bool) -> usize {
        let mut best = (f64::MAX, 0);
        for (i, node) in self.nodes.iter().enumerate() {
            let d = node.to(at);
            if d < best.0 && allowed(i) {
                best = (d, i);
            }
        }
        best.1
    }

    /// Lays a winding line between two nodes and cuts it into segments of about `piece` metres.
    fn build(&mut self, start: usize, end: usize, way: Way, piece: f64, dice: &mut Dice) -> usize {
        let line = meander(self.nodes[start], self.nodes[end], way.class, dice);
        let length: f64 = line.windows(2).map(|p| p[0].to(p[1])).sum();
        let pieces = ((length / piece).round() as usize).clamp(1, line.len() - 1);
        let link = self.links.len();
        let class = "XYC".find(way.class).unwrap_or(2);
        self.serials[class] += 1;
        let owner = way.natural_village;
        let mut segments = Vec::with_capacity(pieces);
        let (mut first, mut node, mut stake) = (0, start, 0.0);
        for k in 1..=pieces {
            let last = k * (line.len() - 1) / pieces;
            let to = if k == pieces { end } else { self.node(line[last], owner) };
            let points = line[first..=last].to_vec();
            let length: f64 = points.windows(2).map(|p| p[0].to(p[1])).sum();
            segments.push(self.segments.len());
            self.segments.push(Segment { from: node, to, points, length, stake, link });
            (first, node, stake) = (last, to, stake + length);
        }
        self.links.push(Link {
            class: way.class,
            serial: self.serials[class],
            name: way.name,
            segments,
            length,
            village: way.village,
            natural_village: way.natural_village,
        });
        link
    }
}

/// A smooth winding line. Its bends grow with their wavelength and vanish at both ends.
fn meander(a: Point, b: Point, class: char, dice: &mut Dice) -> Vec<Point> {
    let straight = a.to(b);
    let steps = ((straight * 1.06 / VERTEX_SPACING).ceil() as usize).max(2);
    let sway = match class {
        'Y' => 1.0,
        _ => 0.85,
    };
    let mut waves = Vec::new();
    for length in [9_500.0, 4_200.0, 1_700.0, 650.0, 260.0] {
        if length < straight * 2.2 {
            let amplitude = length * 0.05 * sway * dice.between(0.4, 1.3);
            waves.push((straight / (length * dice.between(0.8, 1.25)), amplitude, dice.between(0.0, 1.0)));
        }
    }
    let (ux, uy) = ((b.x - a.x) / straight.max(0.01), (b.y - a.y) / straight.max(0.01));
    (0..=steps)
        .map(|i| {
            if i == 0 {
                return a;
            }
            if i == steps {
                return b;
            }
            let t = i as f64 / steps as f64;
            let ends = 1.0 - (2.0 * t - 1.0).powi(4);
            let aside: f64 = waves
                .iter()
                .map(|(f, amp, phase)| amp * (std::f64::consts::TAU * (f * t + phase)).sin())
                .sum::<f64>()
                * ends;
            let p = a.toward(b, t);
            Point { x: p.x - uy * aside, y: p.y + ux * aside }
        })
        .collect()
}
