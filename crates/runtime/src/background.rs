//! Work that takes long and that nobody waits for: freeing big values, syncing and closing files.
//!
//! Each lane is one thread with one queue, so that what is given to a lane is done in order. A lane's thread is started by
//! its first job: an idle server has none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::crash;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    running: bool,
    over: bool,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is a job, or it is over.
    work: Condvar,
    /// A job has ended.
    done: Condvar,
}

/// One thread that works off what it is given, in order. Dropping it finishes what is there.
pub struct Lane {
    name: &'static str,
    shared: Arc<Shared>,
}

impl Lane {
    /// A lane whose thread will bear this name (at most 15 bytes show).
    pub fn new(name: &'static str) -> Self {
        Lane { name, shared: Arc::new(Shared::default()) }
    }

    /// Gives it a job.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let mut queue = self.shared.queue.lock();
        queue.jobs.push_back(Box::new(job));
        if queue.thread.is_none() {
            let shared = self.shared.clone();
            let spawned =
                std::thread::Builder::new().name(self.name.to_owned()).stack_size(1024 * 1024).spawn(move || {
                    shared.work_off();
                });
            match spawned {
                Ok(thread) => queue.thread = Some(thread),
                // No thread to be had: the work is done here and now, late as that is for whoever gave it.
                Err(_) => {
                    let jobs = std::mem::take(&mut queue.jobs);
                    drop(queue);
                    jobs.into_iter().for_each(|job| job());
                    return;
                }
            }
        }
        drop(queue);
        self.shared.work.notify_one();
    }

    /// How many jobs are not done yet, the one in progress included.
    pub fn pending(&self) -> usize {
        let queue = self.shared.queue.lock();
        queue.jobs.len() + usize::from(queue.running)
    }

    /// Waits until everything given so far, and meanwhile, is done.
    pub fn drain(&self) {
        let mut queue = self.shared.queue.lock();
        while queue.thread.is_some() && (queue.running || !queue.jobs.is_empty()) {
            self.shared.done.wait(&mut queue);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let thread = {
            let mut queue = self.shared.queue.lock();
            queue.over = true;
            queue.thread.take()
        };
        self.shared.work.notify_one();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work_off(&self) {
        // Without a second stack a crash here is told in fewer words.
        let _ = crash::arm_thread();
        let mut queue = self.queue.lock();
        loop {
            let Some(job) = queue.jobs.pop_front() else {
                if queue.over {
                    return;
                }
                self.work.wait(&mut queue);
                continue;
            };
            queue.running = true;
            drop(queue);
            job();
            queue = self.queue.lock();
            queue.running = false;
            self.done.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_are_done_in_order() {
        let lane = Lane::new("test");
        let (tx, rx) = mpsc::channel();
        for i in 0..100 {
            let tx = tx.clone();
            lane.submit(move || tx.send(i).unwrap());
        }
        lane.drain();
        assert_eq!(lane.pending(), 0);
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn dropping_finishes_what_is_there() {
        let lane = Lane::new("test");
        let (go, wait) = mpsc::channel::<()>();
        let (tx, rx) = mpsc::channel();
        lane.submit(move || wait.recv().unwrap());
        lane.submit(move || tx.send("done").unwrap());
        assert_eq!(lane.pending(), 2);
        go.send(()).unwrap();
        drop(lane);
        assert_eq!(rx.try_recv(), Ok("done"));
    }

    #[test]
    fn an_unused_lane_has_no_thread() {
        let lane = Lane::new("test");
        lane.drain();
        assert!(lane.shared.queue.lock().thread.is_none());
    }
}
