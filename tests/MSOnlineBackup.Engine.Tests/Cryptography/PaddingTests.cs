using System.Numerics;
using MSOnlineBackup.Vaults.Cryptography;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public sealed class PaddingTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 8192)]
    [InlineData(131_072, 131_072)]
    [InlineData(131_073, 135_168)]
    [InlineData(1_048_577, 1_081_344)]
    [InlineData(9_000_000, 9_175_040)]
    [InlineData(16_777_216, 16_777_216)]
    public void Lengths_are_those_of_the_document(int length, int expected) => Assert.Equal(expected, Padding.LengthFor(length, Padding.ObjectStep));

    [Fact]
    public void A_length_is_one_of_few_and_little_longer_than_what_it_holds()
    {
        foreach (int step in (int[])[1024, 4096])
        {
            var lengths = new Dictionary<int, HashSet<int>>();
            for (int length = 1; length < 40 << 20; length += 1 + (length / 997))
            {
                int padded = Padding.LengthFor(length, step);

                Assert.InRange(padded, length, Math.Max(length + step - 1, length + (length / 16)));
                Assert.Equal(padded, Padding.LengthFor(padded, step));
                int doubling = BitOperations.Log2((uint)length);
                lengths.TryAdd(doubling, []);
                lengths[doubling].Add(padded);
            }

            Assert.All(lengths.Values, each => Assert.InRange(each.Count, 1, 33));
        }
    }
}
