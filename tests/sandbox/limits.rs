//! How much can be taken.

use crate::{Ended, MIB, Stand, perl, strict};
use digest_bump::canary::sandbox::{Cell, Limits};

async fn limited(script: &str, limit: fn(&mut Limits)) -> Option<Ended> {
    let stand = Stand::new();
    let mut cell: Cell = stand.cell(script);
    limit(&mut cell.limits);
    Some(stand.step(&strict().await?, &cell).await)
}

#[tokio::test]
async fn a_fork_bomb_stops_at_the_limit_also_if_the_bot_is_root() {
    let bomb = perl(
        "while (1) { my $p = fork; last unless defined $p; if (!$p) { sleep 600; exit } $n++ } \
         print \"$n $!\\n\"",
    );
    let Some(ended) = limited(&bomb, |it| it.processes = 30).await else { return };
    let (count, why) = ended.out.trim().split_once(' ').unwrap();
    assert!((20..=38).contains(&count.parse::<u32>().unwrap()), "{ended:#?}");
    assert_eq!(why, "Resource temporarily unavailable");
    // The next one starts from the beginning.
    let Some(ended) = limited("(true) && (true)", |it| it.processes = 5).await else { return };
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[tokio::test]
async fn one_process_cannot_take_more_memory_than_the_limit() {
    let greedy = perl("$x = \"a\" x (300 * 1024 * 1024); print \"REACHED\"");
    let Some(ended) = limited(&greedy, |it| it.memory = 128 * MIB).await else { return };
    assert!(!ended.out.contains("REACHED") && ended.code != Some(0), "{ended:#?}");
    // By the kernel, before anybody outside looked.
    assert!(ended.err.contains("Out of memory"), "{ended:#?}");
    let modest = perl("$x = \"a\" x (30 * 1024 * 1024); print \"REACHED\"");
    let Some(ended) = limited(&modest, |it| it.memory = 128 * MIB).await else { return };
    assert_eq!(ended.out, "REACHED");
}

#[tokio::test]
async fn many_processes_cannot_take_more_memory_together() {
    let greedy =
        "for it in 1 2 3 4 5; do perl -e '$x = \"a\" x (40 * 1024 * 1024); sleep 600' & done; wait";
    let Some(ended) = limited(greedy, |it| it.memory = 128 * MIB).await else { return };
    assert_eq!(ended.code, Some(137), "{ended:#?}");
    assert_eq!(ended.err, "sandbox: the step was ended: it took more than 128 MiB of memory\n");
}

#[tokio::test]
async fn processor_time_files_and_descriptors_are_limited() {
    let spin = perl("1 while 1");
    let Some(ended) = limited(&spin, |it| it.cpu_seconds = 1).await else { return };
    assert_eq!(ended.code, Some(137), "{ended:#?}");
    let big = "dd if=/dev/zero of=big bs=64k count=64; stat -c %s big";
    let Some(ended) = limited(big, |it| it.file_size = MIB).await else { return };
    assert_eq!(ended.out, "1048576\n", "{ended:#?}");
    let open =
        perl("while (1) { open(my $f, \"<\", \"file\") or last; push @f, $f } print scalar @f");
    let Some(ended) = limited(&open, |it| it.open_files = 40).await else { return };
    let count: u32 = ended.out.parse().unwrap();
    assert!((30..40).contains(&count), "{ended:#?}");
}

#[tokio::test]
async fn there_is_no_core_dump_and_no_limit_can_be_raised() {
    let script = "ulimit -c 9 2>/dev/null && echo REACHED; ulimit -c; kill -ABRT $$";
    let Some(ended) = limited(script, |_| {}).await else { return };
    // One byte is less than any file or handler takes.
    assert_eq!((ended.code, ended.out.as_str()), (Some(134), "0\n"), "{ended:#?}");
}
