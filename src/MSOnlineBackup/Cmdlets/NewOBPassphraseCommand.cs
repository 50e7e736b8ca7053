using System.Management.Automation;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes a passphrase.</summary>
[Cmdlet(VerbsCommon.New, "OBPassphrase")]
[OutputType(typeof(string))]
public sealed class NewOBPassphraseCommand : OBCmdlet
{
    // 32 characters, of which none is taken for another: five bits each. 26 of them make 130 bits.
    private const string Alphabet = "23456789abcdefghijkmnpqrstuvwxyz";
    private const int ShortestByChance = 26;

    /// <summary>How many characters.</summary>
    [Parameter(Position = 0)]
    [ValidateRange(ShortestByChance, 1024)]
    public int Length { get; set; } = 32;

    /// <inheritdoc/>
    protected override void Process()
    {
        string passphrase = RandomNumberGenerator.GetString(Alphabet, Length);
        Passphrase.Validate(passphrase);
        WriteObject(passphrase);
    }
}
