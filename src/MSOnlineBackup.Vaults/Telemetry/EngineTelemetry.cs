using System.Diagnostics;
using System.Diagnostics.Metrics;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Telemetry;

/// <summary>
/// What the engine tells of its work to whoever listens: figures (<see cref="Meter"/>) and spans (<see cref="ActivitySource"/>), both by the name
/// <see cref="Name"/>. Their names are documented, and stay. No name of a file is among them, for they go to other machines. Where nobody listens, an
/// addition costs a comparison.
/// </summary>
public static class EngineTelemetry
{
    /// <summary>The name of the meter, of the source of spans, and of the source of events.</summary>
    public const string Name = "MSOnlineBackup";

    private const string Prefix = "msonlinebackup.";

    private static readonly Meter _meter = new(Name, Product.Version);

    /// <summary>Spans: one for each operation, and below it one for each request to the vault.</summary>
    internal static ActivitySource Spans { get; } = new(Name, Product.Version);

    /// <summary>Items done: files, folders, and others.</summary>
    internal static Counter<long> Items { get; } = Count("items", "{item}", "Items done.");

    /// <summary>Files done.</summary>
    internal static Counter<long> Files { get; } = Count("files", "{file}", "Files done.");

    /// <summary>Bytes of content done, read or known unchanged.</summary>
    internal static Counter<long> Processed { get; } = Count("processed", "By", "Content done: read, or known unchanged; written by a restore.");

    /// <summary>Bytes read from sources.</summary>
    internal static Counter<long> Read { get; } = Count("read", "By", "Content read from sources.");

    /// <summary>Bytes that were new to the vault.</summary>
    internal static Counter<long> Added { get; } = Count("added", "By", "Content that was new to the vault, before compression.");

    /// <summary>Bytes sent to the vault.</summary>
    internal static Counter<long> Stored { get; } = Count("stored", "By", "Bytes stored in the vault.");

    /// <summary>Items skipped, by the error's id.</summary>
    internal static Counter<long> Skipped { get; } = Count("skipped", "{item}", "Items skipped.");

    /// <summary>Calls on the vault that were tried again, by the error's id.</summary>
    internal static Counter<long> Retries { get; } = Count("vault.retries", "{retry}", "Calls on the vault that were tried again.");

    /// <summary>Requests to the vault and how long they took, by operation.</summary>
    internal static Histogram<double> Requests { get; } = _meter.CreateHistogram<double>(Prefix + "vault.request.duration", "s", "Requests to the vault.");

    /// <summary>Operations and how long they took, by operation and outcome.</summary>
    internal static Histogram<double> Operations { get; } = _meter.CreateHistogram<double>(Prefix + "operation.duration", "s", "Backups, restores, verifications, maintenance, repairs.");

    /// <summary>Whether anybody wants to know of single requests.</summary>
    internal static bool WatchesRequests => Requests.Enabled || Spans.HasListeners();

    private static Counter<long> Count(string name, string unit, string description) => _meter.CreateCounter<long>(Prefix + name, unit, description);
}
