using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Chunks;

public class ChunkIdTests
{
    [Fact]
    public void Ids_are_their_bytes_and_compare_as_they_do()
    {
        Prop.ForAll<int>(seed =>
        {
            byte[] left = TestKeys.Bytes(seed, ChunkId.Length);
            byte[] right = [.. left];
            right[(uint)seed % ChunkId.Length] = (byte)seed;
            var (l, r) = (new ChunkId(left), new ChunkId(right));

            byte[] copy = new byte[ChunkId.Length];
            l.CopyTo(copy);
            Assert.Equal(left, copy);
            Assert.Equal(Convert.ToHexStringLower(left), l.ToString());
            Assert.Equal(Math.Sign(left.AsSpan().SequenceCompareTo(right)), Math.Sign(l.CompareTo(r)));
            Assert.Equal(left.AsSpan().SequenceEqual(right), l == r);
            Assert.Equal(l.CompareTo(r) < 0, l < r);
            Assert.Equal(l.CompareTo(r) >= 0, l >= r);
        }).QuickCheckThrowOnFailure();
    }
}
