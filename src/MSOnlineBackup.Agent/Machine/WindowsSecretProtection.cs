using System.Runtime.Versioning;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>DPAPI, for the machine: scheduled jobs run under another account than the one that registered it.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsSecretProtection : ISecretProtection
{
    public byte[] Protect(byte[] secret) => Run(() => ProtectedData.Protect(secret, optionalEntropy: null, DataProtectionScope.LocalMachine));

    public byte[] Unprotect(byte[] stored) => Run(() => ProtectedData.Unprotect(stored, optionalEntropy: null, DataProtectionScope.LocalMachine));

    private static byte[] Run(Func<byte[]> call)
    {
        try
        {
            return call();
        }
        catch (CryptographicException e)
        {
            throw new BackupException(
                BackupErrorId.StateInvalid,
                $"Windows cannot decrypt the secret of this machine: {e.Message.TrimEnd('.')}.",
                "If the state was copied from another machine, delete 'secret.json', re-create the key file with 'Repair-OBKey', "
                    + "and set the proxy password again.",
                innerException: e);
        }
    }
}
