using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class SipHashTests
{
    // From the reference implementation's vectors: key 00..0f, input 00..(n-1).
    [Theory]
    [InlineData(0, 0x726fdb47dd0e0e31)]
    [InlineData(1, 0x74f839c593dc67fd)]
    [InlineData(7, 0xab0200f58b01d137)]
    [InlineData(8, 0x93f5f5799a932462)]
    [InlineData(15, 0xa129ca6149be45e5)]
    public void The_published_vectors_hold(int length, ulong expected)
    {
        byte[] data = [.. Enumerable.Range(0, length).Select(i => (byte)i)];

        Assert.Equal(expected, new SipHash(Manifests.Key).Hash(data));
    }
}
