//! How many threads can run at once here: the default of `threads`.
//!
//! That is the number of cores this process may run on, and not more than the time that its control group grants: a
//! container with a quota of two cores on a machine of 64 has two.

use std::fs;
use std::path::{Path, PathBuf};

/// Cores by affinity and control group; at least 1.
pub fn available() -> usize {
    let cores = affinity().unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let quota =
        quota(Path::new("/sys/fs/cgroup"), fs::read_to_string("/proc/self/cgroup").unwrap_or_default().as_str());
    cores.min(quota.unwrap_or(usize::MAX)).max(1)
}

#[cfg(target_os = "linux")]
fn affinity() -> Option<usize> {
    // SAFETY: a set of zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable for the size given; pid 0 is the calling thread.
    let ok = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } == 0;
    // SAFETY: the set was filled in.
    ok.then(|| unsafe { libc::CPU_COUNT(&set) } as usize).filter(|n| *n > 0)
}

#[cfg(not(target_os = "linux"))]
fn affinity() -> Option<usize> {
    None
}

/// The smallest quota on the way from our control group to the root, rounded up to whole cores. `groups` is the text of
/// `/proc/self/cgroup`.
fn quota(root: &Path, groups: &str) -> Option<usize> {
    groups.lines().filter_map(|line| quota_of_line(root, line)).min()
}

fn quota_of_line(root: &Path, line: &str) -> Option<usize> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (base, limit): (PathBuf, fn(&Path) -> Option<f64>) = if controllers.is_empty() {
        (root.to_owned(), limit_v2)
    } else if controllers.split(',').any(|c| c == "cpu") {
        (root.join(controllers), limit_v1)
    } else {
        return None;
    };
    // Inside a container the path may be that of the host and missing here; then the root is ours.
    let mut dir = base.join(path.trim_start_matches('/'));
    let mut least: Option<f64> = None;
    loop {
        if let Some(cores) = limit(&dir) {
            least = Some(least.map_or(cores, |l| l.min(cores)));
        }
        if dir == base || !dir.pop() || !dir.starts_with(&base) {
            break;
        }
    }
    least.map(|cores| (cores.ceil() as usize).max(1))
}

fn limit_v2(dir: &Path) -> Option<f64> {
    let text = fs::read_to_string(dir.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

fn limit_v1(dir: &Path) -> Option<f64> {
    let quota = fs::read_to_string(dir.join("cpu.cfs_quota_us")).ok()?;
    let period = fs::read_to_string(dir.join("cpu.cfs_period_us")).ok()?;
    ratio(quota.trim(), period.trim())
}

/// `max` and `-1` mean no limit and are no numbers above zero.
fn ratio(quota: &str, period: &str) -> Option<f64> {
    let quota = quota.parse::<f64>().ok().filter(|q| *q > 0.0)?;
    let period = period.parse::<f64>().ok().filter(|p| *p > 0.0)?;
    Some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_at_least_one_core() {
        assert!(available() >= 1);
    }

    #[test]
    fn the_smallest_quota_on_the_way_up_counts() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("cpu.max"), "max 100000\n").unwrap();
        assert_eq!(quota(root, "0::/a/b\n"), None);
        fs::write(root.join("a/cpu.max"), "150000 100000\n").unwrap();
        fs::write(root.join("a/b/cpu.max"), "800000 100000\n").unwrap();
        assert_eq!(quota(root, "0::/a/b\n"), Some(2));
        fs::write(root.join("a/b/cpu.max"), "5000 100000\n").unwrap();
        assert_eq!(quota(root, "0::/a/b\n"), Some(1));
    }

    #[test]
    fn the_first_version_of_control_groups_has_two_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("cpu,cpuacct/x")).unwrap();
        fs::write(root.join("cpu,cpuacct/x/cpu.cfs_quota_us"), "300000\n").unwrap();
        fs::write(root.join("cpu,cpuacct/x/cpu.cfs_period_us"), "100000\n").unwrap();
        assert_eq!(quota(root, "3:cpu,cpuacct:/x\n2:memory:/x\n"), Some(3));
        fs::write(root.join("cpu,cpuacct/x/cpu.cfs_quota_us"), "-1\n").unwrap();
        assert_eq!(quota(root, "3:cpu,cpuacct:/x\n"), None);
    }
}
