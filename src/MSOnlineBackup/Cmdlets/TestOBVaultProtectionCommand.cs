using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Tries, with the rights of this machine, what an attacker would, and says what held.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBVaultProtection")]
[OutputType(typeof(OBProtectionTest))]
public sealed class TestOBVaultProtectionCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        foreach (ProtectionFinding finding in Run((_, stop) => Agent.Ownership.TestProtectionAsync(location, stop)))
        {
            WriteObject(new OBProtectionTest
            {
                Name = finding.Check.ToString(),
                Result = Enum.Parse<OBProtectionResult>(finding.Verdict.ToString()),
                Detail = finding.Detail,
                Advice = finding.Advice,
                Vault = location,
            });
        }
    }
}
