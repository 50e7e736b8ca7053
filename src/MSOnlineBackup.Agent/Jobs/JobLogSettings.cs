using System.Globalization;
using System.Text.Json;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>What a job goes by, for its log: by name, and never a secret.</summary>
internal static class JobLogSettings
{
    /// <summary>Of an order on a machine.</summary>
    public static IReadOnlyDictionary<string, string> Of(JobOrder order, JobMachine machine)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["version"] = Product.Version,
            ["process"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            ["machine"] = machine.Name,
            ["profile"] = machine.Limits.Name,
            ["state"] = machine.State.Path,
        };
        if (machine.Account.Registration is { } registration)
        {
            settings["vault"] = Place(registration.VaultLocation);
            settings["vaultName"] = registration.VaultName;
        }

        AddOrder(settings, order);
        try
        {
            AddMachine(settings, machine.Account.Settings);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.StateInvalid or BackupErrorId.StateAccessDenied)
        {
            // Whether the job can do without them, it finds out itself.
            settings["settings"] = e.Message;
        }

        return settings;
    }

    // The form in which an order goes to another process has no secrets, whatever kind it is of.
    private static void AddOrder(SortedDictionary<string, string> settings, JobOrder order)
    {
        JsonElement written = JsonSerializer.SerializeToElement(order.ToWritten(), OrderJson.Default.JobOrder);
        foreach (JsonProperty property in written.EnumerateObject())
        {
            settings["order." + property.Name] = property.Value switch
            {
                { ValueKind: JsonValueKind.String } text => text.GetString()!,
                { ValueKind: JsonValueKind.Array } list => string.Join(", ", list.EnumerateArray().Select(item => item.ToString())),
                { ValueKind: JsonValueKind.Object } address when address.TryGetProperty("location", out JsonElement place) => Place(place.ToString()),
                var value => value.ToString(),
            };
        }
    }

    private static void AddMachine(SortedDictionary<string, string> settings, MachineSettings machine)
    {
        settings["snapshots"] = machine.Snapshots.ToString();
        settings["local snapshots"] = machine.KeepLocalSnapshots.ToString(CultureInfo.InvariantCulture);
        settings["proxy"] = machine.IsDirect ? "none" : machine.Proxy is { } proxy ? string.Create(CultureInfo.InvariantCulture, $"{proxy.Server}:{proxy.Port}") : "as the system is set up";
        settings["bandwidth"] = machine.Throttle is { } throttle
            ? string.Create(CultureInfo.InvariantCulture, $"{throttle.WorkBits} bit/s in work hours, else {throttle.OtherBits} bit/s")
            : "unlimited";
    }

    // What stands in a URL beside the place may be a signature, or a password.
    private static string Place(string location) =>
        new VaultAddress(location).IsRemote && Uri.TryCreate(location, UriKind.Absolute, out Uri? uri) ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : location;
}
