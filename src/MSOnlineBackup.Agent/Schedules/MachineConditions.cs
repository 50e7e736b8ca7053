using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What may keep a backup for later.</summary>
internal interface IMachineConditions
{
    /// <summary>Whether the machine runs on its battery; where nobody knows, it does not.</summary>
    Task<bool> IsOnBatteryAsync(CancellationToken cancellationToken);

    /// <summary>Whether the network is one that is paid for by volume; where nobody knows, it is not.</summary>
    Task<bool> IsMeteredAsync(CancellationToken cancellationToken);
}

/// <summary>Those of this machine: the battery on Linux, Windows and macOS, the network where NetworkManager knows it.</summary>
/// <param name="supplies">Where Linux shows the machine's power supplies.</param>
/// <param name="commands">Runs <c>nmcli</c> and <c>pmset</c>.</param>
internal sealed class MachineConditions(string supplies, ISystemCommands commands) : IMachineConditions
{
    /// <summary>Where Linux shows them.</summary>
    public const string Supplies = "/sys/class/power_supply";

    /// <inheritdoc/>
    public async Task<bool> IsOnBatteryAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            return PowerStatus.IsOnBattery;
        }

        if (OperatingSystem.IsMacOS())
        {
            return (await commands.RunAsync("pmset", ["-g", "ps"], cancellationToken).ConfigureAwait(false))?.Output.Contains("'Battery Power'", StringComparison.Ordinal) == true;
        }

        string[] all = Directory.Exists(supplies) ? Directory.GetDirectories(supplies) : [];
        return !all.Any(supply => Read(supply, "online") == "1") && all.Any(supply => Read(supply, "type") == "Battery" && Read(supply, "status") == "Discharging");
    }

    /// <inheritdoc/>
    public async Task<bool> IsMeteredAsync(CancellationToken cancellationToken)
    {
        CommandResult? result = OperatingSystem.IsLinux()
            ? await commands.RunAsync("nmcli", ["-g", "GENERAL.METERED", "device", "show"], cancellationToken).ConfigureAwait(false)
            : null;
        return result?.Output.Split('\n').Any(line => line.StartsWith("yes", StringComparison.Ordinal)) == true;
    }

    private static string? Read(string supply, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(supply, name)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not every supply says everything.
            return null;
        }
    }
}
