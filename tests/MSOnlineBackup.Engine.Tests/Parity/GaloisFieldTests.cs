using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Parity;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>The arithmetic that parity is made of, against the slowest there is.</summary>
public sealed class GaloisFieldTests
{
    // Bit by bit, as one learns it.
    private static byte Slowly(int x, int y)
    {
        int product = 0;
        for (; y > 0; y >>= 1)
        {
            product ^= (y & 1) * x;
            x = (x << 1) ^ (x > 0x7f ? 0x11d : 0);
        }

        return (byte)product;
    }

    [Fact]
    public void Every_product_is_right_and_every_element_but_0_has_an_inverse()
    {
        for (int x = 0; x < 256; x++)
        {
            for (int y = 0; y < 256; y++)
            {
                Assert.Equal(Slowly(x, y), GaloisField.Multiply((byte)x, (byte)y));
            }
        }

        Assert.All(Enumerable.Range(1, 255), x => Assert.Equal(1, GaloisField.Multiply((byte)x, GaloisField.Inverse((byte)x))));
        Assert.Throws<ArgumentOutOfRangeException>(() => GaloisField.Inverse(0));
    }

    [Fact]
    public void Many_at_a_time_are_as_one_at_a_time() =>
        Prop.ForAll<byte, ushort, int>((factor, length, seed) =>
        {
            byte[] elements = TestKeys.Bytes(seed, length % 3000);
            byte[] sums = TestKeys.Bytes(~seed, elements.Length + 5);
            byte[] expected = [.. sums.Select((sum, i) => i < elements.Length ? (byte)(sum ^ Slowly(elements[i], factor)) : sum)];
            byte[] slow = [.. sums];
            byte[] half = [.. sums];

            GaloisField.MultiplyAdd(factor, elements, sums);
            GaloisField.MultiplyAddSlowly(factor, elements, slow);
            int done = GaloisField.MultiplyAdd128(factor, elements, half);

            return sums.SequenceEqual(expected) && slow.SequenceEqual(expected) && half.Take(done).SequenceEqual(expected.Take(done))
                && done == elements.Length / 16 * 16;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_is_lost_comes_back_from_as_many_rows() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            int count = random.Next(1, 41);
            int[] columns = [.. Enumerable.Range(0, CauchyCode.MaxColumns).OrderBy(_ => random.Next()).Take(count)];
            int[] rows = [.. Enumerable.Range(0, CauchyCode.MaxRows).OrderBy(_ => random.Next()).Take(count)];
            byte[] data = TestKeys.Bytes(seed, count);
            byte[] sums =
            [
                .. rows.Select(
                    row => columns.Zip(data).Aggregate((byte)0, (sum, item) => (byte)(sum ^ Slowly(CauchyCode.Coefficient(row, item.First), item.Second)))),
            ];

            byte[][] factors = CauchyCode.Solve(columns, rows);

            return data.SequenceEqual(factors.Select(line => line.Zip(sums).Aggregate((byte)0, (sum, item) => (byte)(sum ^ Slowly(item.First, item.Second)))));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_code_has_as_many_rows_and_columns_as_its_field_can_tell_apart()
    {
        Assert.Equal((96, 160), (CauchyCode.MaxRows, CauchyCode.MaxColumns));
        Assert.Throws<ArgumentOutOfRangeException>(() => CauchyCode.Coefficient(96, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => CauchyCode.Coefficient(0, 160));
        Assert.All(Enumerable.Range(0, 160), column => Assert.Equal(1, Slowly(CauchyCode.Coefficient(5, column), 5 ^ (96 + column))));
    }
}
