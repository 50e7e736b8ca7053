using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>Reads from a vault what a report says: statuses, points, alarms, proofs, settings; no index, and no data.</summary>
public static class VaultReportReader
{
    /// <summary>Reads it.</summary>
    /// <param name="vault">The vault, by the key of one of its chunk stores. Machines of others are told of by their statuses.</param>
    /// <param name="request">What it is to say.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid; MonitoringCredentialInvalid; VaultUnreachable, …</exception>
    public static async Task<VaultReport> ReadAsync(UnlockedVault vault, VaultReportRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        request.Check();

        // Side by side: each lists the vault, which may be far away, or have very many points.
        Task<VaultCompliance> watching = vault.Vault.Watch([vault.CreateMonitoringCredential(), .. request.Credentials]).LookAsync(cancellationToken);
        Task<VaultInfo> inspecting = vault.Vault.InspectAsync(cancellationToken);
        Task<IReadOnlyList<VaultMachine>> naming = vault.Vault.ListMachinesAsync(cancellationToken);
        Task<RecoveryPointList> listing = vault.ListPointsAsync(null, cancellationToken);
        Task<IReadOnlyList<VaultAlarm>> alerting = vault.ReadAlarmsAsync(null, cancellationToken);
        Task<VaultProofSummary> proving = vault.Proofs.ReadAsync(cancellationToken);
        await Task.WhenAll(watching, inspecting, naming, listing, alerting, proving).ConfigureAwait(false);
        VaultCompliance compliance = await watching.ConfigureAwait(false);
        VaultInfo info = await inspecting.ConfigureAwait(false);
        IReadOnlyList<VaultMachine> machines = await naming.ConfigureAwait(false);
        RecoveryPointList points = await listing.ConfigureAwait(false);
        IReadOnlyList<VaultAlarm> alarms = await alerting.ConfigureAwait(false);
        VaultProofSummary proofs = await proving.ConfigureAwait(false);
        List<string> warnings = [.. compliance.Warnings];
        if (info.Warning is { } warning)
        {
            warnings.Add(warning);
        }

        if (points.Damaged.Count > 0)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"Recovery points that are there and cannot be read, and are not counted: {points.Damaged.Count:N0}."));
        }

        ILookup<(string Machine, string? Policy), RecoveryPoint> series = points.ToLookup(point => (point.MachineId.ToString(), PolicyOf(point)));
        Dictionary<string, VaultMachine> known = machines.GroupBy(machine => machine.Name).ToDictionary(of => of.Key, of => of.First());
        ILookup<string, MachineProof> proven = proofs.Machines.ToLookup(proof => proof.MachineName);
        return new VaultReport(
            compliance.At,
            info.VaultId,
            info.Name,
            // A page that is mailed says where the vault is, and not where it is seen from the folder of whoever asked.
            new VaultAddress(info.Location).IsRemote ? info.Location : Path.GetFullPath(info.Location),
            info.Created,
            info.StoredBytes,
            points.Count,
            request.Objective.TotalHours,
            request.Days,
            [.. compliance.Policies.Order(PolicyCompliance.ByUrgency).Select(policy => MachineOf(policy, known.GetValueOrDefault(policy.Machine), series, proven[policy.Machine].FirstOrDefault(), request, compliance.At))],
            GrowthOf(points, request.Days, compliance.At),
            [.. alarms.Select(alarm => new ReportedAlarm(alarm.Id.ToString(), alarm.Since, alarm.Machine, alarm.Message, alarm.RecommendedAction))],
            ProtectionOf(info, compliance.At),
            request.PricePerGib is { } price ? new ReportedCost(price, request.Currency, Math.Round(price * info.StoredBytes / (1L << 30), 2)) : null,
            warnings);
    }

    /// <summary>What each of the last days brought.</summary>
    internal static IReadOnlyList<ReportedDay> GrowthOf(IEnumerable<RecoveryPoint> points, int days, DateTimeOffset now)
    {
        var last = DateOnly.FromDateTime(now.UtcDateTime);
        DateOnly first = last.AddDays(1 - days);
        var added = new long[days];
        var count = new int[days];
        long total = 0;
        foreach (RecoveryPoint point in points)
        {
            int day = DateOnly.FromDateTime(TimeOf(point).UtcDateTime).DayNumber - first.DayNumber;
            if (day < 0)
            {
                total += point.StoredBytes;
            }
            else
            {
                // A point of a clock that is ahead is of today.
                added[Math.Min(day, days - 1)] += point.StoredBytes;
                count[Math.Min(day, days - 1)]++;
            }
        }

        var growth = new List<ReportedDay>(days);
        for (int day = 0; day < days; day++)
        {
            total += added[day];
            growth.Add(new ReportedDay(first.AddDays(day), count[day], added[day], total));
        }

        return growth;
    }

    // Whoever looks at fifty machines sees the silent one first.
    private static ReportedMachine MachineOf(
        PolicyCompliance policy, VaultMachine? machine, ILookup<(string, string?), RecoveryPoint> series, MachineProof? proof, VaultReportRequest request, DateTimeOffset now)
    {
        RecoveryPoint[] points = machine is null ? [] : policy.Policy is null
            ? [.. PolicyScope.All.Select(scope => (string?)scope.Key).Append(null).SelectMany(key => series[(machine.Id, key)])]
            : [.. series[(machine.Id, PolicyScope.All.Any(scope => scope.Key == policy.Policy) ? policy.Policy : null)]];
        bool isKnown = points.Length > 0;
        return new ReportedMachine(
            policy.Machine,
            policy.Policy,
            policy.State.ToString(),
            policy.Id?.ToString(),
            policy.Message,
            policy.RecommendedAction,
            policy.Outcome?.ToString(),
            policy.LastSuccess,
            policy.LastRun,
            policy.Due,
            policy.LastSuccess is { } success ? Math.Max(0, (now - success).TotalHours) : null,
            machine?.OperatingSystem,
            machine?.AgentVersion,
            isKnown ? points.MaxBy(TimeOf)!.Sources.Sum(source => source.Manifest.Bytes) : null,
            isKnown ? points.Length : null,
            RecoveryObjective.Of(points.Select(TimeOf), request.Objective, now.AddDays(-request.Days), now),
            proof?.LastVerified);
    }

    private static IReadOnlyList<ReportedProtection> ProtectionOf(VaultInfo info, DateTimeOffset now)
    {
        VaultSettings settings = info.Settings;
        return
        [
            new("Deleted recovery points can be brought back", true, $"For {settings.UndeleteDays} days."),
            new("Recovery points cannot be deleted while they are young", settings.Immutability != VaultImmutability.Off, settings.Immutability switch
            {
                VaultImmutability.Off => "Not set.",
                VaultImmutability.On => $"For {settings.ImmutableDays} days; the owner can change that.",
                _ => $"For {settings.ImmutableDays} days, and nobody can shorten that.",
            }),
            new("The storage itself keeps them from being deleted", info.StorageLock?.HoldsAt(now) ?? false, info.StorageLock is { } held
                ? held.HoldsAt(now) ? "As far as the vault's header shows." : "Its time is over."
                : "Not set, or not known."),
            new("What destroys needs the owner's PIN", settings.RequiresPin, settings.RequiresPin ? "Set." : "Not set."),
            new("What destroys needs a second person", settings.Approvers?.Count > 0, settings.Approvers?.Count > 0 ? "Set." : "Not set."),
            new("Damage can be mended from parity", settings.ParityPercent > 0, settings.ParityPercent > 0 ? $"{settings.ParityPercent} %." : "Not set."),
        ];
    }

    private static string? PolicyOf(RecoveryPoint point)
    {
        foreach (string tag in point.Tags)
        {
            if (RetentionTag.TryParse(tag, out RetentionTag? read))
            {
                return PolicyScope.Of(read.Policy).Key;
            }
        }

        return null;
    }

    private static DateTimeOffset TimeOf(RecoveryPoint point) => point.Created ?? point.Ended;
}
