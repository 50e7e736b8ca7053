using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Health;

/// <summary>The secrets that this machine knows, to find them where nobody expects them.</summary>
internal sealed class KnownSecrets(JobMachine machine, HealthParts parts)
{
    private const int LeastPath = 16;

    /// <summary>All of them, and their parts that may stand alone.</summary>
    public IEnumerable<string> Find()
    {
        var secrets = new List<string?>(parts.SecretVariables);
        Collect(() => machine.Account.Settings.Proxy?.Password);
        Collect(() => machine.Account.Registration is { } registration ? machine.Account.Connect(registration.VaultLocation, VaultPatience.Person).Secret
            : null);
        foreach (SinkSettings sink in FindSinks())
        {
            // A path that is short, such as /ping, is no secret, and stands in every other text.
            string? path = sink.Url is { } url ? new Uri(url).PathAndQuery.Trim('/') : null;
            secrets.AddRange([sink.Password, sink.Url, path is { Length: >= LeastPath } ? path : null]);
        }

        foreach (string file in Directory.Exists(machine.State.Path) ? Directory.EnumerateFiles(machine.State.Path, "*.rescue") : [])
        {
            Collect(() => System.IO.File.ReadAllText(file).Trim());
        }

        return secrets.OfType<string>().SelectMany(Parts).Where(secret => secret.Length > 0);

        void Collect(Func<string?> read)
        {
            try
            {
                secrets.Add(read());
            }
            catch (Exception e) when (e is BackupException or IOException or UnauthorizedAccessException)
            {
                // What cannot be read does not get into the report, either.
            }
        }
    }

    private IReadOnlyList<SinkSettings> FindSinks()
    {
        try
        {
            return new AlarmSettingsStore(machine.State).Read()?.Sinks ?? [];
        }
        catch (BackupException)
        {
            // Sealed as they are, nobody could have told of them.
            return [];
        }
    }

    // Of a signature for a vault the part that proves it, too: it may stand alone.
    private static IEnumerable<string> Parts(string secret) =>
        secret.Split('&').Where(part => part.StartsWith("sig=", StringComparison.OrdinalIgnoreCase)).Select(part => part[4..]).Append(secret);
}
