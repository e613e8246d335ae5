"""How many partitions there are and what is in each: as on Spark, by hand from its rules."""

from operator import add

from support import ContextTest

from vonk import StorageLevel
from vonk.partitioner import portable_hash


class LayoutTest(ContextTest):
    def test_parallelize_makes_batches_and_deals_them_out(self):
        # 10 values in 4 slices: batches of 10 // 4 = 2, and 5 batches are 1, 1, 1 and 2.
        parts = self.sc.parallelize(list(range(10)), 4).glom().collect()
        self.assertEqual(parts, [[0, 1], [2, 3], [4, 5], [6, 7, 8, 9]])
        parts = self.sc.parallelize([1, 2], 4).glom().collect()
        self.assertEqual(parts, [[], [1], [], [2]])

    def test_range_is_cut_evenly(self):
        parts = self.sc.range(0, 10, numSlices=3).glom().collect()
        self.assertEqual(parts, [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]])

    def test_numbers_of_partitions(self):
        a, b = self.sc.range(4, numSlices=2), self.sc.range(4, numSlices=3)
        self.assertEqual(a.union(b).getNumPartitions(), 5)
        self.assertEqual(a.cartesian(b).getNumPartitions(), 6)
        self.assertEqual(a.map(lambda x: (x, x)).reduceByKey(add).getNumPartitions(), 2)
        self.assertEqual(a.keyBy(abs).join(b.keyBy(abs)).getNumPartitions(), 5)
        self.assertEqual(self.sc.parallelize([1]).getNumPartitions(), 4)
        self.assertEqual(self.sc.defaultMinPartitions, 2)
        self.assertEqual(self.sc.emptyRDD().getNumPartitions(), 0)

    def test_pairs_go_to_the_partition_of_their_hash(self):
        pairs = self.sc.range(10, numSlices=2).map(lambda x: (x, -x))
        moved = pairs.partitionBy(3)
        keys = [[key for key, _ in part] for part in moved.glom().collect()]
        self.assertEqual(keys, [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]])
        self.assertIs(moved.partitionBy(3), moved)
        # Both sides lie alike, so that their union keeps the partitions.
        self.assertEqual(moved.union(moved.mapValues(abs)).getNumPartitions(), 3)

    def test_hashes_are_those_of_spark(self):
        self.assertEqual(portable_hash(None), 0)
        self.assertEqual(portable_hash((None, 1)) & 0xFFFFFFFF, 219750521)
        self.assertEqual(portable_hash(""), 0)

    def test_coalesce_takes_runs_and_repartition_deals_out(self):
        rdd = self.sc.range(8, numSlices=4)
        self.assertEqual(rdd.coalesce(2).glom().collect(), [[0, 1, 2, 3], [4, 5, 6, 7]])
        self.assertEqual(rdd.coalesce(9).getNumPartitions(), 4)
        dealt = self.sc.range(100, numSlices=1).repartition(5).glom().collect()
        self.assertEqual([len(part) for part in dealt], [20] * 5)

    def test_sorting_ascends_across_partitions(self):
        rows = [(x * 7919) % 1000 for x in range(1000)]
        parts = self.sc.parallelize(rows, 5).sortBy(lambda x: x, numPartitions=4).glom().collect()
        self.assertEqual([x for part in parts for x in part], list(range(1000)))
        self.assertTrue(all(parts))
        down = self.sc.parallelize(rows, 5).sortBy(lambda x: x, ascending=False).collect()
        self.assertEqual(down, list(range(999, -1, -1)))

    def test_numbering(self):
        rdd = self.sc.parallelize("abcde", 2)
        self.assertEqual([i for _, i in rdd.zipWithIndex().collect()], [0, 1, 2, 3, 4])
        self.assertEqual([i for _, i in rdd.zipWithUniqueId().collect()], [0, 2, 1, 3, 5])

    def test_kept_partitions_are_computed_once(self):
        count = self.sc.accumulator(0)

        def noted(x):
            count.add(1)
            return x

        rdd = self.sc.range(10).map(noted).persist(StorageLevel.MEMORY_ONLY)
        self.assertEqual(rdd.sum(), 45)
        self.assertEqual(rdd.max(), 9)
        self.assertEqual(count.value, 10)
        rdd.unpersist().count()
        self.assertEqual(count.value, 20)

    def test_moved_rows_are_reused(self):
        count = self.sc.accumulator(0)

        def noted(x):
            count.add(1)
            return (x % 3, x)

        groups = self.sc.range(9).map(noted).groupByKey()
        self.assertEqual(groups.count(), 3)
        self.assertEqual(groups.mapValues(sum).collectAsMap(), {0: 9, 1: 12, 2: 15})
        self.assertEqual(count.value, 9)
