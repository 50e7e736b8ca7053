using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Telemetry;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Telemetry;

/// <summary>What listeners of this process see of the engine's work. Other tests run meanwhile: what counts is what this one's own flow does.</summary>
public sealed class EngineTelemetryTests : IDisposable
{
    private const string Passphrase = "a passphrase for tests";

    private static readonly AsyncLocal<bool> _own = new();

    private readonly TempFolder _folder = new();
    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000, Workers = 2 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Figures_spans_and_events_tell_of_a_backup_a_verification_a_maintenance_and_a_restore()
    {
        var figures = new ConcurrentDictionary<string, double>();
        var spans = new ConcurrentBag<Activity>();
        using MeterListener meters = Listen(figures);
        using ActivityListener activities = Listen(spans);
        using var events = new Events();
        _own.Value = true;

        await WorkAsync(counters =>
        {
            Assert.Equal(
                (counters.Items, counters.Files, counters.Bytes, counters.ReadBytes, counters.NewBytes),
                ((long)figures["msonlinebackup.items"],
                    (long)figures["msonlinebackup.files"],
                    (long)figures["msonlinebackup.processed"],
                    (long)figures["msonlinebackup.read"],
                    (long)figures["msonlinebackup.added"]));
            Assert.Equal((2, 1), (counters.Files, counters.Skipped));
            Assert.True(figures["msonlinebackup.stored"] >= counters.StoredBytes);
            Assert.Equal(1, figures["msonlinebackup.skipped error.type=SourceNotFound"]);
        });

        _own.Value = false;
        foreach (string operation in new[] { "backup", "verify", "maintain", "restore" })
        {
            Assert.Equal(1, figures[$"msonlinebackup.operation.duration operation={operation} outcome=ok"]);
            Activity span = Assert.Single(spans, span => span.OperationName == operation);
            Assert.NotEqual(ActivityStatusCode.Error, span.Status);
            Assert.Contains(spans, request => request.OperationName.StartsWith("vault.", StringComparison.Ordinal) && request.TraceId == span.TraceId);
        }

        Assert.Equal(["Initializing", "Transferring", "Committing", "Finished"], spans.Single(span => span.OperationName == "backup").Events.Select(phase => phase.Name));
        Assert.Equal(["backup", "verify", "maintain", "restore"], events.Seen.Where(seen => seen.Name == "OperationStart").Select(seen => seen.Payload[0]));
        Assert.Contains(events.Seen, seen => seen.Name == "OperationStop" && seen.Payload is ["restore", "ok"]);
        Assert.Contains(events.Seen, seen => seen.Name == "ItemSkipped" && seen.Payload is [nameof(BackupErrorId.SourceNotFound), _, _]);
    }

    [Fact]
    public async Task Names_of_files_are_in_no_figure_and_no_span()
    {
        var figures = new ConcurrentDictionary<string, double>();
        var spans = new ConcurrentBag<Activity>();
        using MeterListener meters = Listen(figures);
        using ActivityListener activities = Listen(spans);
        _own.Value = true;

        await WorkAsync(_ => { });

        _own.Value = false;
        Assert.NotEmpty(spans);
        string[] told =
        [
            .. figures.Keys,
            .. spans.Select(span => $"{span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects)} {string.Join(' ', span.Events.SelectMany(one => one.Tags.Select(tag => $"{tag.Value}")))}"),
        ];
        Assert.DoesNotContain(told, text => text.Contains("secret-name", StringComparison.Ordinal) || text.Contains(_folder.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_is_told_by_its_id()
    {
        var figures = new ConcurrentDictionary<string, double>();
        var spans = new ConcurrentBag<Activity>();
        using MeterListener meters = Listen(figures);
        using ActivityListener activities = Listen(spans);
        var store = new FaultyVaultStore(new FolderVaultStore(await CreateVaultAsync()));
        using UnlockedVault vault = await TestVault.UnlockAsync(store, Passphrase, _options, Cancel);
        _own.Value = true;

        BackupException failure = await Assert.ThrowsAsync<BackupException>(
            () => vault.BackUpAsync(new BackupRequest { MachineName = "A", Sources = [new BackupSource.Tree(_folder["missing"], SourceSelection.Everything)] }, new JobMonitor(), Cancel));

        _own.Value = false;
        Assert.Equal(1, figures[$"msonlinebackup.operation.duration operation=backup outcome={failure.Id}"]);
        Activity span = Assert.Single(spans, span => span.OperationName == "backup");
        Assert.Equal((ActivityStatusCode.Error, failure.Id.ToString()), (span.Status, span.StatusDescription));
    }

    private async Task<string> CreateVaultAsync()
    {
        string place = _folder["vault"];
        await Vault.CreateAsync(FolderVaultStore.Create(place), Passphrase, _options, Cancel);
        return place;
    }

    private async Task WorkAsync(Action<JobProgress> backedUp)
    {
        new SourceTreeBuilder(_folder["source"]).File("secret-name", "content"u8).File("other", 300_000, seed: 1);
        var store = new MeteredVaultStore(new FolderVaultStore(await CreateVaultAsync()));
        using UnlockedVault vault = await TestVault.UnlockAsync(store, Passphrase, _options, Cancel);
        var monitor = new JobMonitor();
        BackupSource[] sources = [new BackupSource.Tree(_folder["source"], SourceSelection.Everything), new BackupSource.Tree(_folder["missing"], SourceSelection.Everything)];
        BackupResult backup = await vault.BackUpAsync(new BackupRequest { MachineName = "A", Sources = sources }, monitor, Cancel);
        backedUp(monitor.Snapshot());
        IndexedVault index = await vault.IndexAsync(Cancel);
        await index.VerifyAsync(VerifyLevel.Structure, new JobMonitor(), Cancel);
        await vault.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Cancel);
        await index.RestoreAsync(new RestoreRequest { Point = backup.Point, TargetFolder = _folder["target"] }, new JobMonitor(), Cancel);
    }

    private static MeterListener Listen(ConcurrentDictionary<string, double> figures)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == EngineTelemetry.Name)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument.Name, 1, tags));
        listener.Start();
        return listener;

        void Add(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (_own.Value)
            {
                foreach (KeyValuePair<string, object?> tag in tags)
                {
                    name += $" {tag.Key}={tag.Value}";
                }

                figures.AddOrUpdate(name, value, (_, sum) => sum + value);
            }
        }
    }

    private static ActivityListener Listen(ConcurrentBag<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EngineTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (_own.Value)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Events : EventListener
    {
        public ConcurrentQueue<(string Name, object?[] Payload)> Seen { get; } = [];

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == EngineTelemetry.Name)
            {
                EnableEvents(eventSource, EventLevel.Informational);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (_own.Value)
            {
                Seen.Enqueue((eventData.EventName!, [.. eventData.Payload!]));
            }
        }
    }
}
