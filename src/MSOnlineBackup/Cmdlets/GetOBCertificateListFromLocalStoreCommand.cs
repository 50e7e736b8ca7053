using System.Management.Automation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the certificates with a private key in the stores of the user and of the machine.</summary>
[Cmdlet(VerbsCommon.Get, "OBCertificateListFromLocalStore")]
[OutputType(typeof(OBCertificate))]
public sealed class GetOBCertificateListFromLocalStoreCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (StoreLocation location in new[] { StoreLocation.CurrentUser, StoreLocation.LocalMachine })
        {
            foreach (X509Certificate2 certificate in Read(location))
            {
                using (certificate)
                {
                    if (certificate.HasPrivateKey && seen.Add(certificate.Thumbprint))
                    {
                        WriteObject(new OBCertificate
                        {
                            Thumbprint = certificate.Thumbprint,
                            Subject = certificate.Subject,
                            Issuer = certificate.Issuer,
                            NotBefore = certificate.NotBefore,
                            NotAfter = certificate.NotAfter,
                        });
                    }
                }
            }
        }
    }

    private X509Certificate2Collection Read(StoreLocation location)
    {
        using var store = new X509Store(StoreName.My, location);
        try
        {
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return store.Certificates;
        }
        catch (CryptographicException exception)
        {
            // Linux has no such store of the machine, and a user's comes into being with its first certificate.
            WriteVerbose($"The store of {location} cannot be read: {exception.Message}");
            return [];
        }
    }
}
