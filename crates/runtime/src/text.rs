//! The program's own pages.
//!
//! A program is mapped, not read: each part of it comes from the disk, or at best from the page cache, when it first runs, so the
//! first command of each kind would wait for that, and longest where the machine is short of memory. A server maps all of
//! itself at its start. The pages are the file's, shared by all processes that run it, and the kernel may take them back.

use std::fs;

/// Has the kernel map the running program's code. What cannot be done is left: it is a matter of time only.
pub fn map_now() {
    #[cfg(target_os = "linux")]
    for (start, len) in code() {
        // SAFETY: populating a mapping for reading changes no byte of it; a range that is not mapped is an error.
        unsafe { libc::madvise(start as *mut libc::c_void, len, libc::MADV_POPULATE_READ) };
    }
}

/// Where this program's code is mapped: start and length.
#[cfg(target_os = "linux")]
fn code() -> Vec<(usize, usize)> {
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines()
        .filter(|line| line.contains(" r-xp ") && line.ends_with(program.to_string_lossy().as_ref()))
        .filter_map(|line| {
            let (start, rest) = line.split_once('-')?;
            let (end, _) = rest.split_once(' ')?;
            let start = usize::from_str_radix(start, 16).ok()?;
            Some((start, usize::from_str_radix(end, 16).ok()?.checked_sub(start)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_code_is_where_this_function_is() {
        let here = super::code as fn() -> Vec<(usize, usize)> as usize;
        assert!(super::code().iter().any(|(start, len)| (*start..start + len).contains(&here)));
        super::map_now();
    }
}
