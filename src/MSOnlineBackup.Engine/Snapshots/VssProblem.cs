using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Why there is no set of shadow copies.</summary>
/// <param name="Step">What was asked, as "DoSnapshotSet".</param>
/// <param name="Result">What it ended with: an HRESULT.</param>
internal sealed record VssProblem(string Step, int Result)
{
    /// <summary>Whether somebody else's set is being made.</summary>
    public bool IsInProgress => Result == VssResult.SetInProgress;

    /// <summary>Whether it may go well the next moment.</summary>
    public bool IsOfTheMoment => Result is VssResult.FlushTimedOut or VssResult.HoldTimedOut;

    /// <summary>Whether one volume may be the reason, and others could have theirs.</summary>
    public bool MayBeOfOneVolume => Step is nameof(IVssRequester.AddToSnapshotSet) or nameof(VssStep.PrepareForBackup) or nameof(VssStep.DoSnapshotSet) or nameof(IVssRequester.ReadDevice)
        && !IsInProgress && Result is not (VssResult.AccessDenied or VssResult.RebootRequired);

    /// <summary>In a sentence.</summary>
    public override string ToString() => $"The shadow copy failed at {Step}: {VssResult.Describe(Result)}.";
}
