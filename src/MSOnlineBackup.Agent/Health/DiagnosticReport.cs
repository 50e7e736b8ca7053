using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Health;

/// <summary>
/// What somebody has to know who is to help: versions, settings, policies, jobs and their logs, schedules, where alarms go, capabilities and health, as JSON in
/// one zip file. Only what is named here goes in, each text through a filter; the key file, passphrases, keys and credentials are not read for it.
/// </summary>
internal sealed class DiagnosticReport(
    JobMachine machine, AgentJobs jobs, AgentHealth health, AgentSchedules schedules, HealthContext context, HealthParts parts)
{
    private const int Jobs = 50;

    private static readonly JsonWriterOptions _readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes it to a new file, readable by its owner only.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the file is there, or cannot be written.</exception>
    public async Task WriteAsync(string path, CancellationToken cancellationToken)
    {
        byte[] report = Pack(new SecretFilter(new KnownSecrets(machine, parts).Find()), await CollectAsync(cancellationToken).ConfigureAwait(false));
        try
        {
            PrivateFile.Create(path, report);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The report cannot be written to '{path}': {e.Message.TrimEnd('.')}.",
                "Name a new file in a folder that is there, and that this account may write to.",
                path,
                innerException: e);
        }
    }

    private static byte[] Pack(SecretFilter filter, IReadOnlyList<(string Name, JsonNode? Content)> entries)
    {
        var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create))
        {
            foreach ((string name, JsonNode? content) in entries)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                if (name.EndsWith(JsonLines.Extension, StringComparison.Ordinal) && content is JsonArray lines)
                {
                    JsonLines.Write(entry, lines.Select(filter.Clean), _readable.Encoder);
                    continue;
                }

                using var writer = new Utf8JsonWriter(entry, _readable);
                (filter.Clean(content) ?? new JsonObject()).WriteTo(writer);
            }
        }

        return file.ToArray();
    }

    private static JsonArray ListOf<T>(IEnumerable<T> items, Func<T, JsonObject> describe) => [.. items.Select(item => (JsonNode?)describe(item))];

    private async Task<IReadOnlyList<(string Name, JsonNode? Content)>> CollectAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<HealthFinding> findings = await health.TestAsync(cancellationToken).ConfigureAwait(false);
        var entries = new List<(string, JsonNode?)>
        {
            ("versions.json", Versions()),
            ("machine.json", Try(Registration)),
            ("settings.json", Try(Settings)),
            ("health.json", ListOf(findings, finding => new JsonObject
            {
                ["id"] = finding.Check.ToString(),
                ["result"] = finding.Verdict.ToString(),
                ["cause"] = finding.Cause,
                ["fix"] = finding.Fix,
                ["row"] = finding.Row,
            })),
            ("capabilities.json", ListOf(health.FindCapabilities(), capability => new JsonObject
            {
                ["name"] = capability.Name,
                ["support"] = capability.Support.ToString(),
                ["detail"] = capability.Detail,
            })),
            ("schedules.json", await SchedulesAsync(cancellationToken).ConfigureAwait(false)),
            ("jobs.json", Try(ListJobs)),
            ("alarms.json", Try(Alarms)),
        };
        entries.AddRange(ListLogs());
        entries.AddRange(AgentSchedules.Kinds.Select(kind => ($"policy-{AgentSchedules.NameOfKind(kind)}.json",
            Try(() => File($"policy-{AgentSchedules.NameOfKind(kind)}.json")))));
        return entries;
    }

    private JsonObject Versions() => new()
    {
        ["engine"] = Product.Version,
        ["time"] = machine.Clock.GetUtcNow().UtcDateTime,
        ["timeZone"] = machine.Clock.LocalTimeZone.Id,
        ["system"] = parts.System.Name,
        ["kernel"] = parts.System.Version.ToString(),
        ["architecture"] = HealthParts.Architecture.ToString(),
        ["dotNet"] = parts.Runtime.ToString(),
        ["powerShell"] = context.PowerShell?.ToString(),
        ["moduleFolder"] = context.ModuleFolder,
        ["stateFolder"] = machine.State.Path,
        ["privileged"] = parts.IsPrivileged,
        ["profile"] = machine.Limits.Name,
    };

    private JsonNode? Registration() => machine.Account.Registration is not { } registration ? null : new JsonObject
    {
        ["machine"] = registration.MachineName,
        ["hostName"] = machine.OwnName,
        ["vault"] = registration.VaultName,
        ["vaultId"] = registration.VaultId,
        ["location"] = registration.VaultLocation.Split('?')[0],
        ["registered"] = registration.Registered.UtcDateTime,
        ["requiresPrivateEndpoint"] = registration.RequiresPrivateEndpoint,
        ["isActivated"] = machine.Account.HasPassphrase,
        ["scratchFolder"] = machine.Account.Scratch.Path,
    };

    private JsonNode Settings()
    {
        MachineSettings settings = machine.Account.Settings;
        return new JsonObject
        {
            ["proxyServer"] = settings.Proxy?.Server,
            ["proxyPort"] = settings.Proxy?.Port,
            ["proxySignsIn"] = settings.Proxy?.UserName is not null,
            ["proxyBypass"] = settings.Proxy?.Bypass,
            ["isDirect"] = settings.IsDirect,
            ["snapshots"] = settings.Snapshots.ToString(),
            ["localSnapshots"] = settings.KeepLocalSnapshots,
            ["throttle"] = settings.Throttle is not { } throttle ? null : new JsonObject
            {
                ["days"] = string.Join(", ", throttle.WorkDays),
                ["start"] = throttle.WorkStart.ToString("c"),
                ["end"] = throttle.WorkEnd.ToString("c"),
                ["workBits"] = throttle.WorkBits,
                ["otherBits"] = throttle.OtherBits,
            },
        };
    }

    private async Task<JsonNode?> SchedulesAsync(CancellationToken cancellationToken)
    {
        var list = new JsonArray();
        foreach (PolicyKind kind in AgentSchedules.Kinds)
        {
            try
            {
                ScheduleStatus status = await schedules.FindAsync(kind, cancellationToken).ConfigureAwait(false);
                list.Add((JsonNode)new JsonObject
                {
                    ["policy"] = AgentSchedules.NameOfKind(kind),
                    ["scheduler"] = status.Scheduler,
                    ["registration"] = status.Registration.ToString(),
                    ["place"] = status.Place,
                    ["command"] = string.Join(' ', status.Command),
                    ["nextRun"] = status.NextRun?.UtcDateTime,
                });
            }
            catch (BackupException e)
            {
                list.Add((JsonNode)ErrorOf(e));
            }
        }

        return list;
    }

    private JsonNode? Alarms() => new AlarmSettingsStore(machine.State).Read() is not { } settings ? null : ListOf(settings.Sinks, sink => new JsonObject
    {
        ["name"] = sink.Name,
        ["kind"] = sink.Kind.ToString(),
        ["where"] = sink.Describe(),
        ["runs"] = sink.Runs,
        ["successes"] = sink.Successes,
    });

    // Of the jobs that are listed, those that have one: earlier versions wrote none.
    private IEnumerable<(string Name, JsonNode? Content)> ListLogs()
    {
        IReadOnlyList<JobRecord> listed;
        try
        {
            listed = jobs.List();
        }
        catch (BackupException)
        {
            // Why they cannot be listed stands where they would be.
            yield break;
        }

        foreach (JobRecord record in listed.TakeLast(Jobs))
        {
            string id = record.Id.ToString("D");
            JsonNode? log = Try(() => machine.State.Read(Path.Combine("jobs", id, JobLog.FileName)) is { } content ? JsonLines.Read(content) : null);
            if (log is not null)
            {
                yield return ($"jobs/{id}{JsonLines.Extension}", log as JsonArray ?? [log]);
            }
        }
    }

    private JsonNode ListJobs() => new JsonArray(
        [.. jobs.List().TakeLast(Jobs).Select(record => Try(() => File(Path.Combine("jobs", record.Id.ToString("D"), "job.json"))))]);

    // A file of the state as it is: text is filtered, and what is damaged is not passed on.
    private JsonNode? File(string name)
    {
        try
        {
            return machine.State.Read(name) is { } content ? JsonNode.Parse(content) : null;
        }
        catch (JsonException)
        {
            return new JsonObject { ["error"] = $"'{name}' is damaged." };
        }
    }

    private static JsonNode? Try(Func<JsonNode?> describe)
    {
        try
        {
            return describe();
        }
        catch (BackupException e)
        {
            return ErrorOf(e);
        }
    }

    private static JsonObject ErrorOf(BackupException error) => new() { ["error"] = error.Id.ToString(), ["message"] = error.Message };
}
