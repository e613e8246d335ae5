"""What operations give, by hand."""

import random
from operator import add

from support import ContextTest


class OperationsTest(ContextTest):
    def pairs(self, *pairs):
        return self.sc.parallelize(pairs, 2)

    def test_joins(self):
        left = self.pairs(("a", 1), ("b", 4), ("a", 9))
        right = self.pairs(("a", 2), ("c", 5))
        both = [("a", (1, 2)), ("a", (9, 2))]
        self.assertEqual(sorted(left.join(right).collect()), both)
        self.assertEqual(sorted(left.leftOuterJoin(right).collect()), [*both, ("b", (4, None))])
        self.assertEqual(sorted(left.rightOuterJoin(right).collect()), [*both, ("c", (None, 5))])
        full = [*both, ("b", (4, None)), ("c", (None, 5))]
        self.assertEqual(sorted(left.fullOuterJoin(right).collect()), full)
        self.assertEqual(left.subtractByKey(right).collect(), [("b", 4)])
        groups = {
            key: [list(side) for side in sides] for key, sides in left.cogroup(right).collect()
        }
        self.assertEqual(groups, {"a": [[1, 9], [2]], "b": [[4], []], "c": [[], [5]]})

    def test_by_key(self):
        pairs = self.pairs(("a", 1), ("b", 2), ("a", 3))
        self.assertEqual(
            sorted(pairs.aggregateByKey([], lambda so_far, v: [*so_far, v], add).collect())[0],
            ("a", [1, 3]),
        )
        self.assertEqual(dict(pairs.foldByKey(10, add, 1).collect()), {"a": 24, "b": 12})
        self.assertEqual(dict(pairs.countByKey()), {"a": 2, "b": 1})
        self.assertEqual(pairs.lookup("a"), [1, 3])
        self.assertEqual(pairs.flatMapValues(range).count(), 6)

    def test_folds_begin_every_partition_anew(self):
        rdd = self.sc.range(4, numSlices=4)
        lists = rdd.aggregate([], lambda so_far, x: so_far.append(x) or so_far, add)
        self.assertEqual(lists, [0, 1, 2, 3])
        self.assertEqual(rdd.fold(1, add), 11)
        self.assertEqual(rdd.treeAggregate(0, add, add, 3), 6)
        self.assertEqual(rdd.treeReduce(add), 6)

    def test_samples_follow_pythons_generator(self):
        chance = random.Random(7 ^ 0)
        for _ in range(10):
            chance.randint(0, 1)
        expected = [x for x in range(50) if chance.random() < 0.3]
        self.assertEqual(self.sc.range(50, numSlices=1).sample(False, 0.3, 7).collect(), expected)
        a, b = self.sc.range(500).randomSplit([2, 3], 17)
        self.assertEqual(sorted(a.collect() + b.collect()), list(range(500)))
        self.assertEqual(len(self.sc.range(10).takeSample(True, 20, 1)), 20)

    def test_statistics(self):
        stats = self.sc.parallelize([1.0, 2.0, 3.0, 6.0], 3).stats()
        self.assertEqual((stats.count(), stats.mean(), stats.variance()), (4, 3.0, 3.5))
        self.assertEqual(self.sc.range(51).histogram([0, 5, 25, 50]), ([0, 5, 25, 50], [5, 20, 26]))
        words = self.sc.parallelize(["ab", "ac", "b", "bd", "ef"])
        self.assertEqual(words.histogram(("a", "b", "c")), (("a", "b", "c"), [2, 2]))
        self.assertEqual(self.sc.parallelize([1, None, 3]).filter(bool).top(1), [3])

    def test_take_looks_at_no_more_than_it_needs(self):
        count = self.sc.accumulator(0)

        def noted(index, rows):
            count.add(1)
            return rows

        rdd = self.sc.range(100, numSlices=50).mapPartitionsWithIndex(noted)
        self.assertEqual(rdd.take(2), [0, 1])
        self.assertEqual(count.value, 1)

    def test_errors_come_at_the_action(self):
        rdd = self.sc.range(3).map(lambda x: x.nothing).filter(None)
        with self.assertRaisesRegex(Exception, "nothing"):
            rdd.count()
        with self.assertRaises(ValueError):
            self.sc.parallelize([]).reduce(add)
        with self.assertRaises(ValueError):
            self.sc.emptyRDD().first()
        with self.assertRaises(NotImplementedError):
            self.sc.range(1).withResources(None)

    def test_checkpoints_cut_the_lineage(self):
        self.sc.setCheckpointDir(self.path("checkpoints"))
        rdd = self.sc.range(4).map(str)
        rdd.checkpoint()
        self.assertEqual(rdd.count(), 4)
        self.assertTrue(rdd.isCheckpointed())
        self.assertNotIn(b"ParallelCollectionRDD", rdd.toDebugString())
        self.assertEqual(rdd.collect(), ["0", "1", "2", "3"])
