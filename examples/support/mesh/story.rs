//! What happens to the mesh, and the report of what came of it.

use std::sync::Arc;
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
    settings: Settings,
    authority: Arc<Authority>,
    partner: Arc<Authority>,
    frontend: Arc<Workload>,
    proxy: Arc<Workload>,
    backend: Arc<Workload>,
    /// Belongs to the mesh like everybody, and is permitted nothing.
    intruder: Arc<Workload>,
    audit: Arc<Audit>,
    services: Vec<Service>,
}

/// Where the services are.
struct Places {
    frontend: Callee,
    proxy: Callee,
    backend: Callee,
    impostors: Impostors,
}

/// Runs the mesh and reports; an error when anything was not as it must be.
pub fn tell(settings: Settings) -> Fallible<()> {
    let began = Instant::now();
    let mut mesh = Mesh::new(settings)?;
    let places = mesh.open()?;
    let load = mesh.load(&places)?;
    let rotation = Rotation::start(&mesh.workloads())?;
    let mut attackers = Attackers::new(&mesh.authority, &mesh.partner, &mesh.frontend)?;

    mesh.attack_until(began + settings.runtime * 2 / 5, &mut attackers, &places)?;
    attackers.withdrawn = Some(mesh.change_authority()?);
    mesh.attack_until(began + settings.runtime, &mut attackers, &places)?;

    let renewals = rotation.stop()?;
    let routes = load.stop()?;
    mesh.close()?;
    let outcome = Outcome {
        took: began.elapsed(),
        lifetime: settings.lifetime,
        routes: &routes,
        renewals,
        generations: mesh.generations(),
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
    fn new(settings: Settings) -> Fallible<Self> {
        let provider = rustcrypto::provider();
        let authority = Arc::new(Authority::new(&provider, TRUST_DOMAIN, "Mesh first")?);
        let partner = Arc::new(Authority::new(&provider, PARTNER, "Partner")?);
        let workload = |name| Workload::new(&authority, name, settings.lifetime, &[&partner]);
        Ok(Self {
            settings,
            frontend: workload("frontend")?,
            proxy: workload("proxy")?,
            backend: workload("backend")?,
            intruder: workload("intruder")?,
            audit: Arc::new(Audit::start()),
            services: Vec::new(),
            authority,
            partner,
        })
    }

    fn workloads(&self) -> [Arc<Workload>; 4] {
        [&self.frontend, &self.proxy, &self.backend, &self.intruder].map(Arc::clone)
    }

    /// Starts all services.
    fn open(&mut self) -> Fallible<Places> {
        let [frontend, proxy, backend, intruder] = self.workloads();
        let backend = self.serve(&backend, &BACKEND, Box::new(goods))?;
        let through = {
            let (proxy, backend) = (Arc::clone(&proxy), backend.clone());
            move || forward(&proxy, &backend)
        };
        // Nobody renews it: it must last until the end.
        let lifetime = self.settings.runtime * 2 + DRAINING;
        let theirs = Workload::new(&self.partner, "backend", lifetime, &[])?;
        Ok(Places {
            proxy: self.serve(&proxy, &PROXY, Box::new(through))?,
            frontend: self.serve(&frontend, &FRONTEND, Box::new(goods))?,
            impostors: Impostors {
                intruder: Callee { name: "backend", ..self.serve(&intruder, &BACKEND, Box::new(goods))? },
                partner: self.serve(&theirs, &BACKEND, Box::new(goods))?,
            },
            backend,
        })
    }

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

    /// Has everybody call whom it may call.
    fn load(&self, to: &Places) -> Fallible<Load> {
        let many = (0..self.settings.callers).map(|_| self.frontend.caller(&to.proxy));
        let many = many.collect::<Fallible<Vec<_>>>()?;
        let mut load = Load::new();
        load.add(Route::new("frontend, proxy, backend", &["/stock", "/orders"]), many)?;
        load.add(Route::new("frontend, backend", &["/health"]), [self.frontend.caller(&to.backend)?])?;
        load.add(Route::new("backend, frontend", &["/ready"]), [self.backend.caller(&to.frontend)?])?;
        Ok(load)
    }

    /// Waits for the last connection of every service.
    fn close(&mut self) -> Fallible<()> {
        std::mem::take(&mut self.services).into_iter().try_for_each(Service::stop)
    }

    /// How many generations of certificates there were, and how many of those before the last one are still in use.
    fn generations(&self) -> (u64, usize) {
        self.workloads().iter().fold((0, 0), |(all, left), workload| {
            let store = &workload.credentials;
            (all + store.generation(), left + store.generations().len() - 1)
        })
    }

    /// Lets time go by, under attack.
    fn attack_until(&self, until: Instant, attackers: &mut Attackers, places: &Places) -> Fallible<()> {
        let pause = (self.settings.runtime / 12).max(Duration::from_millis(500));
        loop {
            attackers.attack(&places.backend, &places.impostors)?;
            let left = until.saturating_duration_since(Instant::now());
            thread::sleep(left.min(pause));
            if left <= pause {
                return Ok(());
            }
        }
    }

    /// Replaces the authority under load: both are trusted, everybody changes over, the old one is withdrawn.
    fn change_authority(&self) -> Fallible<Arc<DevPki>> {
        let (workloads, old) = (self.workloads(), self.authority.present());
        let next = Arc::new(made(&self.authority.provider, "Mesh second")?);
        for workload in &workloads {
            workload.trust(vec![old.root().clone(), next.root().clone()])?;
        }
        self.authority.issue_from(Arc::clone(&next));
        let renewed = workloads.iter().map(|workload| Ok((workload, workload.renew()?)));
        let renewed: Vec<(&Arc<Workload>, u64)> = renewed.collect::<Fallible<_>>()?;
        let until = Instant::now() + self.settings.longest_connection() + DRAINING;
        while renewed.iter().any(|(workload, generation)| workload.is_draining(*generation)) {
            if Instant::now() > until {
                return Err("connections do not leave the certificates of the old authority".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        for workload in &workloads {
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
