//! What happens to the mesh, and the report of what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use symbolon::crypto::rustcrypto;

use super::allow::{AllowList, BACKEND, FRONTEND, PROXY};
use super::attacks::{Attackers, Impostors};
use super::audit::Audit;
use super::authority::{Authority, made};
use super::caller::Callee;
use super::http::Response;
use super::load::{Load, Route};
use super::report::Outcome;
use super::rotation::Rotation;
use super::service::{Handler, Parts, Service};
use super::workload::Workload;
use super::{Fallible, PARTNER, Settings, TRUST_DOMAIN};
use crate::devpki::DevPki;

/// How long connections may take to leave an old certificate, beyond the time that they are used.
const DRAINING: Duration = Duration::from_secs(10);

struct Mesh {
    authority: Arc<Authority>,
    audit: Arc<Audit>,
    settings: Settings,
    workloads: Vec<Arc<Workload>>,
    services: Vec<Service>,
}

/// Runs the mesh and reports; an error when anything was not as it must be.
pub fn tell(settings: Settings) -> Fallible<()> {
    let provider = rustcrypto::provider();
    let authority = Arc::new(Authority::new(&provider, TRUST_DOMAIN, "Mesh first")?);
    let (audit, began) = (Arc::new(Audit::start()), Instant::now());
    let (workloads, services) = (Vec::new(), Vec::new());
    let mut mesh = Mesh { authority, audit, settings, workloads, services };
    let until = began + settings.runtime;
    let partner = Arc::new(Authority::new(&provider, PARTNER, "Partner")?);
    let workload = |name| Workload::new(&mesh.authority, name, settings.lifetime, &[&partner]);
    let (frontend, proxy, backend, intruder) =
        (workload("frontend")?, workload("proxy")?, workload("backend")?, workload("intruder")?);
    // The intruder belongs to the mesh like everybody; it is permitted nothing.
    mesh.workloads = [&frontend, &proxy, &backend, &intruder].map(Arc::clone).to_vec();

    let to_backend = mesh.serve(&backend, &BACKEND, Box::new(goods))?;
    let through = {
        let (proxy, callee) = (Arc::clone(&proxy), to_backend.clone());
        move || forward(&proxy, &callee)
    };
    let to_proxy = mesh.serve(&proxy, &PROXY, Box::new(through))?;
    let to_frontend = mesh.serve(&frontend, &FRONTEND, Box::new(goods))?;
    let theirs = Workload::new(&partner, "backend", settings.runtime, &[])?;
    let impostors = Impostors {
        intruder: Callee { name: "backend", ..mesh.serve(&intruder, &BACKEND, Box::new(goods))? },
        partner: mesh.serve(&theirs, &BACKEND, Box::new(goods))?,
    };

    let mut load = Load::new();
    let many = (0..settings.callers).map(|_| frontend.caller(&to_proxy));
    let many = many.collect::<Fallible<Vec<_>>>()?;
    load.add(Route::new("frontend, proxy, backend", &["/stock", "/orders"]), many)?;
    load.add(Route::new("frontend, backend", &["/health"]), [frontend.caller(&to_backend)?])?;
    load.add(Route::new("backend, frontend", &["/ready"]), [backend.caller(&to_frontend)?])?;
    let rotation = Rotation::start(&mesh.workloads)?;
    let mut attackers = Attackers::new(&mesh.authority, &partner, &frontend)?;

    let change = began + settings.runtime * 2 / 5;
    mesh.attack_until(change, &mut attackers, &to_backend, &impostors)?;
    let old = mesh.change_authority()?;
    attackers.withdrawn = Some(old);
    mesh.attack_until(until, &mut attackers, &to_backend, &impostors)?;

    let (renewals, failed) = (Arc::clone(&rotation.renewals), Arc::clone(&rotation.failed));
    rotation.stop()?;
    let routes = load.stop()?;
    for service in std::mem::take(&mut mesh.services) {
        service.stop()?;
    }
    let stores = mesh.workloads.iter().map(|workload| &workload.credentials);
    let (issued, left) = stores.fold((0, 0), |(issued, left), store| {
        (issued + store.generation(), left + store.generations().len() - 1)
    });
    let outcome = Outcome {
        took: began.elapsed(),
        lifetime: settings.lifetime,
        routes: &routes,
        renewals: (renewals.load(Ordering::Relaxed), failed.load(Ordering::Relaxed)),
        generations: (issued, left),
        audit: &mesh.audit.sums(),
        attackers: &attackers,
    };
    println!("\n{}", outcome.words());
    match &outcome.faults()[..] {
        [] => Ok(()),
        faults => Err(faults.join("; ").into()),
    }
}

impl Mesh {
    fn serve(
        &mut self,
        workload: &Arc<Workload>,
        allow: &'static AllowList,
        handler: Box<dyn Fn() -> Handler + Send + Sync>,
    ) -> Fallible<Callee> {
        let service = Service::start(Parts {
            policy: workload.server_policy(allow)?,
            workload: Arc::clone(workload),
            allow,
            handler,
            longest: self.settings.longest_connection(),
            audit: Arc::clone(&self.audit),
        })?;
        let callee = Callee { name: workload.name, address: service.address };
        self.services.push(service);
        Ok(callee)
    }

    /// Lets time go by, under attack.
    fn attack_until(
        &self,
        until: Instant,
        attackers: &mut Attackers,
        backend: &Callee,
        impostors: &Impostors,
    ) -> Fallible<()> {
        let pause = (self.settings.runtime / 12).max(Duration::from_millis(500));
        loop {
            attackers.attack(backend, impostors)?;
            let left = until.saturating_duration_since(Instant::now());
            if left <= pause {
                thread::sleep(left);
                return Ok(());
            }
            thread::sleep(pause);
        }
    }

    /// Replaces the authority under load: both are trusted, everybody changes over, the old one is withdrawn.
    fn change_authority(&self) -> Fallible<Arc<DevPki>> {
        let old = self.authority.present();
        let next = Arc::new(made(&self.authority.provider, "Mesh second")?);
        for workload in &self.workloads {
            workload.trust(vec![old.root().clone(), next.root().clone()])?;
        }
        self.authority.issue_from(Arc::clone(&next));
        let renewed: Vec<(&Arc<Workload>, u64)> = self
            .workloads
            .iter()
            .map(|workload| Ok((workload, workload.renew()?)))
            .collect::<Fallible<_>>()?;
        let until = Instant::now() + self.settings.longest_connection() + DRAINING;
        while renewed.iter().any(|(workload, generation)| workload.is_draining(*generation)) {
            if Instant::now() > until {
                return Err("connections do not leave the certificates of the old authority".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        for workload in &self.workloads {
            workload.trust(vec![next.root().clone()])?;
        }
        Ok(old)
    }
}

/// The backend and the frontend have something for everybody.
fn goods() -> Handler {
    Box::new(|caller, request| {
        let asker = request.on_behalf_of.clone().unwrap_or_else(|| caller.to_string());
        Response::new(200, format!("{} for {asker}\n", request.path))
    })
}

/// The proxy asks the backend, as itself, and says on whose behalf.
fn forward(proxy: &Workload, backend: &Callee) -> Handler {
    let mut onward = proxy.caller(backend);
    Box::new(move |caller, request| {
        let asked = match &mut onward {
            Ok(onward) => onward.get(&request.path, Some(&caller.to_string())),
            Err(error) => Err(error.to_string().into()),
        };
        asked.unwrap_or_else(|error| Response::new(502, format!("the backend does not answer: {error}\n")))
    })
}
