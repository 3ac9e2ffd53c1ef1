//! Makes an empty web/dist when the page was not built, so that a plain `cargo build` works, and
//! builds anew when the page or the migrations change: both are embedded.

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("web/dist")?;
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=migrations");
    Ok(())
}
