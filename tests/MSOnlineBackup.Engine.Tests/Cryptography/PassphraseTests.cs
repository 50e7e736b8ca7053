using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Cryptography;

public class PassphraseTests
{
    [Theory]
    [InlineData("0123456789abcdef")]
    [InlineData("  spaces at both ends count  ")]
    [InlineData(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")]
    public void Sixteen_printable_characters_or_more_will_do(string passphrase) => Passphrase.Validate(passphrase);

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcde")]
    [InlineData("0123456789abcdef\n")]
    [InlineData("0123456789abcdef\t")]
    [InlineData("0123456789abcdef\0")]
    [InlineData("0123456789abcdef\u007f")]
    [InlineData("0123456789abcdefä")]
    [InlineData("0123456789abcdef😀")]
    public void Shorter_ones_and_other_characters_are_refused_without_being_repeated(string passphrase)
    {
        BackupException fault = Assert.Throws<BackupException>(() => Passphrase.Validate(passphrase));

        Assert.Equal(BackupErrorId.PassphraseInvalid, fault.Id);
        Assert.False(passphrase.Length > 0 && fault.Message.Contains(passphrase, StringComparison.Ordinal));
    }
}
