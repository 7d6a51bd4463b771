//! A double as the shortest text that reads back as the same double: digits as Redis writes them.
//!
//! Question: which of the many decimal texts of a double does the wire, the listpack of a sorted set and
//! `DEBUG DIGEST` carry? Redis and Valkey print scores with Florian Loitsch's *Grisu2*, which answers a shortest
//! text in all but about one of a thousand cases, and a text of one digit more in the others. Peers compare these
//! bytes (a digest is a hash over them), so we compute the same algorithm instead of a "better" one.
//!
//! ```text
//!      lower        w        upper          the interval of numbers that read back as w
//!        |----------|----------|
//!        scaled by a cached power of ten so that the integer part of `upper` fits 32 bits;
//!        digits of `upper` are emitted until the rest falls inside the interval,
//!        then the last digit is moved down towards w.
//! ```
//!
//! Cost: one table look-up, three 64x64 multiplications, at most 18 digit steps; no allocation.
//!
//! Source: F. Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers" (PLDI 2010).

/// Decimal digits and the power of ten of the last one: the number is `digits * 10^exponent`.
pub(crate) struct Decimal {
    digits: [u8; 20],
    len: usize,
    exponent: i32,
}

/// A floating-point number with a 64-bit significand: `significand * 2^exponent`.
#[derive(Clone, Copy)]
struct Wide {
    significand: u64,
    exponent: i32,
}

const FRACTION_BITS: u32 = 52;
const HIDDEN_BIT: u64 = 1 << FRACTION_BITS;
const BIAS: i32 = 1023 + FRACTION_BITS as i32;

/// The scaled exponent of `upper` lies in this range, which leaves 32 bits at least for the integer part.
const SCALED_EXPONENTS: std::ops::RangeInclusive<i32> = -60..=-32;

const FIRST_POWER: i32 = -348;
const POWER_STEP: i32 = 8;

/// `10^(-348 + 8 i)`, as the nearest 64-bit significand with its top bit set.
#[rustfmt::skip]
const POWERS: [u64; 87] = [
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea, 0x9a6bb0aa55653b2d,
    0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c,
    0xd3515c2831559a83, 0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57,
    0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584,
    0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
    0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf,
    0x8a08f0f8bf0f156b, 0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000,
    0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70,
    0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db,
    0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3,
    0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5,
    0x98165af37b2153df, 0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410,
    0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
    0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
];

/// The binary exponent that belongs to a significand of `POWERS`: `floor(log2(10^k)) - 63`.
fn power_exponent(k: i32) -> i32 {
    ((k * 217_706) >> 16) - 63
}

impl Wide {
    fn normalized(self) -> Self {
        let shift = self.significand.leading_zeros();
        Self { significand: self.significand << shift, exponent: self.exponent - shift as i32 }
    }

    fn times(self, other: Self) -> Self {
        let product = u128::from(self.significand) * u128::from(other.significand);
        Self { significand: ((product + (1 << 63)) >> 64) as u64, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The cached power that brings a number with binary exponent `exponent` into `SCALED_EXPONENTS`.
fn scaling_power(exponent: i32) -> (Wide, i32) {
    let estimate = (f64::from(-(exponent + POWERS.len() as i32)) * std::f64::consts::LOG10_2) as i32;
    let mut index = (estimate - FIRST_POWER) / POWER_STEP;
    loop {
        let k = FIRST_POWER + index * POWER_STEP;
        let scaled = exponent + power_exponent(k) + 64;
        if scaled < *SCALED_EXPONENTS.start() {
            index += 1;
        } else if scaled > *SCALED_EXPONENTS.end() {
            index -= 1;
        } else {
            return (Wide { significand: POWERS[index as usize], exponent: power_exponent(k) }, k);
        }
    }
}

/// Digits of a positive finite double.
pub(crate) fn decimal(value: f64) -> Decimal {
    debug_assert!(value.is_finite() && value > 0.0);
    let bits = value.to_bits();
    let fraction = bits & (HIDDEN_BIT - 1);
    let raw = match (bits >> FRACTION_BITS) as i32 {
        0 => Wide { significand: fraction, exponent: 1 - BIAS },
        biased => Wide { significand: fraction | HIDDEN_BIT, exponent: biased - BIAS },
    };

    let upper = Wide { significand: (raw.significand << 1) + 1, exponent: raw.exponent - 1 }.normalized();
    // Below a power of two the neighbours are half as far away.
    let down = if raw.significand == HIDDEN_BIT { 2 } else { 1 };
    let lower = Wide { significand: (raw.significand << down) - 1, exponent: raw.exponent - down };
    let lower = Wide { significand: lower.significand << (lower.exponent - upper.exponent), exponent: upper.exponent };

    let (power, k) = scaling_power(upper.exponent);
    let w = raw.normalized().times(power);
    let mut upper = upper.times(power);
    let mut lower = lower.times(power);
    // The products are off by one unit at most: stay inside.
    lower.significand += 1;
    upper.significand -= 1;
    emit(w, lower, upper, -k)
}

fn emit(w: Wide, lower: Wide, upper: Wide, exponent: i32) -> Decimal {
    let mut out = Decimal { digits: [0; 20], len: 0, exponent };
    let fraction_bits = -upper.exponent as u32;
    let one = 1u64 << fraction_bits;
    let gap = upper.significand - w.significand;
    let mut interval = upper.significand - lower.significand;

    let mut integer = upper.significand >> fraction_bits;
    let mut rest = upper.significand & (one - 1);
    let mut kappa = 10;
    let mut divisor = 1_000_000_000u64;
    while kappa > 0 {
        let digit = integer / divisor;
        out.push(digit);
        integer %= divisor;
        kappa -= 1;
        let remainder = (integer << fraction_bits) + rest;
        if remainder <= interval {
            out.exponent += kappa;
            out.approach(interval, remainder, divisor << fraction_bits, gap);
            return out;
        }
        divisor /= 10;
    }
    let mut scale = 1u64;
    loop {
        rest *= 10;
        interval *= 10;
        scale = scale.wrapping_mul(10);
        kappa -= 1;
        out.push(rest >> fraction_bits);
        rest &= one - 1;
        if rest < interval {
            out.exponent += kappa;
            out.approach(interval, rest, one, gap.wrapping_mul(scale));
            return out;
        }
    }
}

impl Decimal {
    /// Appends a digit, leading zeros excepted.
    fn push(&mut self, digit: u64) {
        if digit != 0 || self.len > 0 {
            self.digits[self.len] = b'0' + digit as u8;
            self.len += 1;
        }
    }

    /// Lowers the last digit while that stays inside the interval and comes closer to the number.
    fn approach(&mut self, interval: u64, mut remainder: u64, unit: u64, gap: u64) {
        while remainder < gap
            && interval - remainder >= unit
            && (remainder + unit < gap || gap - remainder > remainder + unit - gap)
        {
            self.digits[self.len - 1] -= 1;
            remainder += unit;
        }
    }

    /// Writes the number into `out` and answers the length: plain digits where they are short, else `d.ddde+XX`.
    /// `out` must have room for 25 bytes; `negative` is told because a sign costs a digit of the scientific form.
    pub(crate) fn write(&self, negative: bool, out: &mut [u8]) -> usize {
        let digits = &self.digits[..self.len];
        let count = self.len as i32;
        let magnitude = self.exponent + count - 1;
        if self.exponent >= 0 && magnitude < count + 7 {
            let zeros = self.exponent as usize;
            out[..self.len].copy_from_slice(digits);
            out[self.len..self.len + zeros].fill(b'0');
            return self.len + zeros;
        }
        if self.exponent < 0 && (self.exponent > -7 || magnitude.abs() < 4) {
            let point = count + self.exponent;
            if point <= 0 {
                let zeros = -point as usize;
                out[..2].copy_from_slice(b"0.");
                out[2..2 + zeros].fill(b'0');
                out[2 + zeros..2 + zeros + self.len].copy_from_slice(digits);
                return 2 + zeros + self.len;
            }
            let point = point as usize;
            out[..point].copy_from_slice(&digits[..point]);
            out[point] = b'.';
            out[point + 1..self.len + 1].copy_from_slice(&digits[point..]);
            return self.len + 1;
        }
        let digits = &digits[..self.len.min(18 - usize::from(negative))];
        let mut at = 1;
        out[0] = digits[0];
        if digits.len() > 1 {
            out[1] = b'.';
            out[2..digits.len() + 1].copy_from_slice(&digits[1..]);
            at = digits.len() + 1;
        }
        out[at] = b'e';
        out[at + 1] = if magnitude < 0 { b'-' } else { b'+' };
        at += 2;
        let power = super::number::int(i64::from(magnitude.abs()));
        out[at..at + power.len()].copy_from_slice(&power);
        at + power.len()
    }
}
