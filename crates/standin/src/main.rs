//! `standin [--answers FILE] [--log FILE] [--port N]`: serves on loopback and prints its port on the first line.

use anyhow::{Context as _, Result, bail};
use ao_standin::note::Notes;
use ao_standin::script::Script;
use ao_standin::serve::{Standin, serve};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use tokio::net::TcpListener;

const USAGE: &str = "usage: standin [--answers FILE] [--log FILE] [--port N]";

fn main() -> Result<()> {
    let (mut script, mut notes, mut port) = (Script::default(), Notes::default(), 0_u16);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().context(USAGE)?;
        match name.as_str() {
            "--answers" => {
                let text = std::fs::read_to_string(&value).with_context(|| value.clone())?;
                script = Script::parse(&text).with_context(|| value.clone())?;
            }
            "--log" => notes = Notes::to(Path::new(&value)).with_context(|| value.clone())?,
            "--port" => port = value.parse().with_context(|| format!("{value} is no port"))?,
            _ => bail!("{name} is not known; {USAGE}"),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?.port())?;
        out.flush()?;
        serve(listener, Standin::new(script, notes)).await?;
        Ok(())
    })
}
