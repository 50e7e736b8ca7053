using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Vaults;
namespace MSOnlineBackup.Engine.Restore;
#pragma warning disable
internal sealed class RestorePlanner(ChunkStore store, JobMonitor monitor) { public Task<RestorePlan> PlanAsync(RestoreRequest r, CancellationToken c) => throw new NotImplementedException(); }
internal sealed class RestoreExecutor(ChunkStore store, JobMonitor monitor) { public Task<RestoreResult> RunAsync(RestorePlan r, CancellationToken c) => throw new NotImplementedException(); }
