//! The Mersenne Twister, seeded and read as Spark's `uuid` and `shuffle` do.

/// How many words the state has.
const WORDS: usize = 624;

/// How far apart the words are that are mixed.
const DISTANCE: usize = 397;

/// The generator MT19937 of Matsumoto and Nishimura.
#[derive(Clone)]
pub(crate) struct Twister {
    state: [u32; WORDS],
    at: usize,
}

impl Twister {
    /// The generator of a seed, whose halves are the two words of its key.
    pub(crate) fn new(seed: i64) -> Self {
        let key = [(seed.cast_unsigned() >> 32) as u32, seed as u32];
        let mut state = [0_u32; WORDS];
        state[0] = 19_650_218;
        for at in 1..WORDS {
            let before = state[at - 1] ^ state[at - 1] >> 30;
            state[at] = before.wrapping_mul(1_812_433_253).wrapping_add(at as u32);
        }
        let mut at = 1;
        let mut mix = |state: &mut [u32; WORDS], factor: u32, addend: u32| {
            let before = state[at - 1] ^ state[at - 1] >> 30;
            state[at] = (state[at] ^ before.wrapping_mul(factor)).wrapping_add(addend);
            at += 1;
            if at == WORDS {
                state[0] = state[WORDS - 1];
                at = 1;
            }
            at as u32
        };
        for step in 0..WORDS {
            let word = step % key.len();
            mix(&mut state, 1_664_525, key[word].wrapping_add(word as u32));
        }
        // From here on the place itself is taken away.
        let mut place = (WORDS % (WORDS - 1)) as u32 + 1;
        for _ in 1..WORDS {
            place = mix(&mut state, 1_566_083_941, place.wrapping_neg());
        }
        state[0] = 0x8000_0000;
        Self { state, at: WORDS }
    }

    fn word(&mut self) -> u32 {
        if self.at == WORDS {
            self.twist();
        }
        let mut word = self.state[self.at];
        self.at += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn twist(&mut self) {
        for at in 0..WORDS {
            let (own, next) = (self.state[at], self.state[(at + 1) % WORDS]);
            let mixed = own & 0x8000_0000 | next & 0x7fff_ffff;
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[at] = self.state[(at + DISTANCE) % WORDS] ^ mixed >> 1 ^ odd;
        }
        self.at = 0;
    }

    /// A number of 64 bits.
    fn long(&mut self) -> u64 {
        let high = u64::from(self.word());
        high << 32 | u64::from(self.word())
    }

    /// A number from 0, and under `bound`, each as likely.
    fn below(&mut self, bound: u32) -> u32 {
        if bound.is_power_of_two() {
            return ((u64::from(bound) * u64::from(self.word() >> 1)) >> 31) as u32;
        }
        loop {
            let bits = self.word() >> 1;
            let value = bits % bound;
            // Those of the last, incomplete run of `bound` would come too often.
            if bits - value <= (1 << 31) - bound {
                return value;
            }
        }
    }

    /// The places of so many items in an order by chance.
    pub(crate) fn order(&mut self, items: usize) -> Vec<usize> {
        let mut places = vec![0; items];
        for at in 0..items {
            let other = self.below(at as u32 + 1) as usize;
            places[at] = places[other];
            places[other] = at;
        }
        places
    }

    /// A universally unique identifier of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let high = self.long() & 0xffff_ffff_ffff_0fff | 0x4000;
        let low = (self.long() | 0x8000_0000_0000_0000) & 0xbfff_ffff_ffff_ffff;
        let digits = format!("{high:016x}{low:016x}");
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::Twister;

    /// As Spark 4.3 answers `uuid(0)`, `uuid(42)`, `shuffle(array(1, 2, 3, 4, 5), 0)`.
    #[test]
    fn seeds_give_what_spark_gives() {
        assert_eq!(Twister::new(0).uuid(), "269567e9-5d09-4af5-b20f-16851fc4a81a");
        assert_eq!(Twister::new(42).uuid(), "6f155395-c8b9-436b-a39c-d247226bc2b2");
        assert_eq!(Twister::new(0).order(5), [3, 0, 1, 2, 4]);
    }
}
