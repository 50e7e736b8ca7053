using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Cryptography;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public sealed class PassphraseDerivationTests
{
    [Fact]
    public void The_key_is_that_of_PBKDF2_for_any_passphrase_salt_and_count() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<NonNull<string>>(),
            ArbMap.Default.ArbFor<byte[]>(),
            ArbMap.Default.ArbFor<PositiveInt>(),
            (passphrase, salt, iterations) => PassphraseDerivation.Derive(passphrase.Get, salt, iterations.Get)
                .SequenceEqual(PassphraseDerivation.DeriveByPlatform(Encoding.UTF8.GetBytes(passphrase.Get), salt, iterations.Get)))
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1000)]
    public void A_passphrase_longer_than_a_block_is_hashed_first(int length)
    {
        string passphrase = new('x', length);

        Assert.Equal(PassphraseDerivation.DeriveByPlatform(Encoding.UTF8.GetBytes(passphrase), [7], 5), PassphraseDerivation.Derive(passphrase, [7], 5));
    }
}
