using System.Text;
using MSOnlineBackup.Vaults.Cryptography;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public sealed class PassphraseDerivationTests
{
    private const string Passphrase = "correct horse battery staple";

    // By the program 'argon2' of the reference implementation: argon2 0123456789abcdef -id -t PASSES -k KIB -p 1 -l 64 -r.
    [Theory]
    [InlineData(64 << 10, 3, "428cb4b6c02b45095d0302fad4ea3ef94865c50a2a29196330ed9e6d7bf7c5c62a7c7a4f2be2c6fc12ea114ceb290c2378e66717f407b1ccd59d939091413741")]
    [InlineData(1024, 2, "cfe906135531389ea7f1c387ac95299611a33bbbbe1cef0e5e5bc8af89725ae84eb34c64f96ea30c9fcef1357bd1565718336c49ae6b50c4f90699588e7929a8")]
    public void Argon2id_gives_what_the_reference_implementation_gives(int memoryKiB, int passes, string expected) =>
        Assert.Equal(
            expected,
            Convert.ToHexStringLower(PassphraseDerivation.ByArgon2id(memoryKiB, passes).Derive(Passphrase, Encoding.ASCII.GetBytes("0123456789abcdef"))));

    [Fact]
    public void PBKDF2_gives_what_another_implementation_gives() =>
        Assert.Equal(
            "dfb3600daf53c7172d0e741dd2da1311ff9c8b69de5cbd569045df16d5ee232c32ad09effd9e84b1f40d747344e7adcc78701c9c4c6f99376e5524ee961a5966",
            Convert.ToHexStringLower(PassphraseDerivation.ByPbkdf2(1000).Derive(Passphrase, [.. Enumerable.Range(0x20, 32).Select(value => (byte)value)])));

    [Fact]
    public void Argon2id_is_what_is_taken_where_libsodium_is_at_hand()
    {
        Assert.True(PassphraseDerivation.HasArgon2id);
        Assert.Equal(
            (PassphraseDerivation.Argon2id, 64 << 10, 3),
            (PassphraseDerivation.Best.Method, PassphraseDerivation.Best.MemoryKiB, PassphraseDerivation.Best.Passes));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(4_194_304, true)]
    [InlineData(4_194_305, false)]
    [InlineData(50_000_000, false)]
    [InlineData(0, false)]
    [InlineData(-1, false)]
    public void Iterations_are_bounded(int iterations, bool expected) => Assert.Equal(expected, PassphraseDerivation.ByPbkdf2(iterations).IsWithinBounds);

    [Theory]
    [InlineData(64 << 10, 3, true)]
    [InlineData(1 << 20, 4, true)]
    [InlineData(1 << 20, 5, false)]
    [InlineData((1 << 20) + 1, 1, false)]
    [InlineData(8, 524_288, true)]
    [InlineData(8, 524_289, false)]
    [InlineData(7, 1, false)]
    [InlineData(8, 0, false)]
    [InlineData(int.MaxValue, int.MaxValue, false)]
    [InlineData(-8, -8, false)]
    public void Memory_and_passes_are_bounded_and_so_is_their_product(int memoryKiB, int passes, bool expected) =>
        Assert.Equal(expected, PassphraseDerivation.ByArgon2id(memoryKiB, passes).IsWithinBounds);
}
