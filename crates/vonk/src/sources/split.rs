//! Shares files among partitions: contiguous byte ranges in file order, so that the partitions read
//! one after the other give the rows as the files hold them.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;

/// A partition of its own has to be worth a thread.
pub(super) const PARTITION_BYTES_MIN: u64 = 1 << 20;

/// Groups the files into at most `partitions` groups of about equal size, `bytes_min` at least.
///
/// Only files that `splittable` accepts are cut into ranges.
pub(super) fn into_groups(
    files: Vec<PartitionedFile>,
    partitions: usize,
    bytes_min: u64,
    splittable: impl Fn(&PartitionedFile) -> bool,
) -> Vec<FileGroup> {
    let total: u64 = files.iter().map(|file| file.object_meta.size).sum();
    let count = total.div_ceil(bytes_min.max(1)).clamp(1, partitions.max(1) as u64);
    let bound = |index: u64| (u128::from(total) * u128::from(index) / u128::from(count)) as u64;
    let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new()];
    let mut offset = 0;
    for file in files {
        let end = offset + file.object_meta.size;
        if splittable(&file) {
            let mut start = offset;
            while bound(groups.len() as u64) < end {
                let cut = bound(groups.len() as u64);
                push_range(&mut groups, &file, start - offset, cut - offset);
                groups.push(Vec::new());
                start = cut;
            }
            push_range(&mut groups, &file, start - offset, end - offset);
        } else {
            while bound(groups.len() as u64) <= offset && (groups.len() as u64) < count {
                groups.push(Vec::new());
            }
            push_range(&mut groups, &file, 0, file.object_meta.size);
        }
        offset = end;
    }
    groups.into_iter().filter(|group| !group.is_empty()).map(FileGroup::new).collect()
}

fn push_range(groups: &mut [Vec<PartitionedFile>], file: &PartitionedFile, start: u64, end: u64) {
    let size = file.object_meta.size;
    let Some(group) = groups.last_mut() else { return };
    if start == 0 && end == size {
        group.push(file.clone());
    } else if start < end {
        group.push(file.clone().with_range(start.cast_signed(), end.cast_signed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn ranges(sizes: &[u64], partitions: usize, split: bool) -> Vec<Vec<(String, u64, u64)>> {
        let files = sizes.iter().enumerate();
        let files = files.map(|(i, size)| PartitionedFile::new(i.to_string(), *size)).collect();
        into_groups(files, partitions, PARTITION_BYTES_MIN, |_| split)
            .iter()
            .map(|group| {
                let range = |file: &PartitionedFile| {
                    let (start, end) = file.range();
                    (file.path().to_string(), start, end)
                };
                group.iter().map(range).collect()
            })
            .collect()
    }

    fn range(name: &str, start: u64, end: u64) -> (String, u64, u64) {
        (name.to_owned(), start, end)
    }

    #[test]
    fn small_files_share_one_partition() {
        assert_eq!(
            ranges(&[10, 0, 20], 8, true),
            [[range("0", 0, 10), range("1", 0, 0), range("2", 0, 20)]]
        );
    }

    #[test]
    fn a_large_file_is_cut_and_ranges_keep_file_order() {
        assert_eq!(
            ranges(&[MIB, 3 * MIB], 2, true),
            [vec![range("0", 0, MIB), range("1", 0, MIB)], vec![range("1", MIB, 3 * MIB)],]
        );
    }

    #[test]
    fn files_that_cannot_be_cut_are_spread_whole() {
        assert_eq!(
            ranges(&[2 * MIB, 2 * MIB, 4 * MIB], 2, false),
            [vec![range("0", 0, 2 * MIB), range("1", 0, 2 * MIB)], vec![range("2", 0, 4 * MIB)],]
        );
        assert_eq!(ranges(&[8 * MIB], 4, false), [[range("0", 0, 8 * MIB)]]);
    }
}
