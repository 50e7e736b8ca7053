using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether the scratch folder serves, and its volume has room.</summary>
internal sealed class ScratchChecks(HealthParts parts)
{
    private const long LeastRoom = 64 << 10;
    private const string Move = "Free up space on the volume, or move the scratch folder to another one with Move-OBScratch.";

    /// <summary>Of a folder.</summary>
    /// <param name="folder">An absolute path.</param>
    /// <param name="isMade">Whether it would be made where it is not there yet.</param>
    /// <param name="protectedBytes">How much is protected; 0 where that is not known.</param>
    public IEnumerable<HealthFinding> Run(string folder, bool isMade, long protectedBytes)
    {
        string place = folder;
        while (isMade && !Directory.Exists(place) && Path.GetDirectoryName(place) is { } above)
        {
            place = above;
        }

        HealthFinding finding = CheckFolder(folder, place);
        yield return finding;
        yield return finding.Verdict == HealthVerdict.Fail
            ? HealthFinding.NotApplicable(HealthCheck.ScratchRoom, "The scratch folder cannot be used.")
            : CheckRoom(folder, place, protectedBytes);
    }

    private static HealthFinding CheckFolder(string folder, string place)
    {
        try
        {
            Scratch.Check(place);
            return HealthFinding.Pass(HealthCheck.ScratchFolder, place == folder ? $"'{folder}' may be the scratch folder."
                : $"'{folder}' is made when it is needed.");
        }
        catch (BackupException e)
        {
            return HealthFinding.Fail(HealthCheck.ScratchFolder, e.Message,
                $"{e.RecommendedAction} A key file that was lost with the folder is made anew by Repair-OBKey.");
        }
    }

    private HealthFinding CheckRoom(string folder, string place, long protectedBytes)
    {
        long free;
        try
        {
            free = parts.FreeBytes(place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return HealthFinding.Warning(HealthCheck.ScratchRoom, $"How much is free on the volume of '{folder}' cannot be told: {e.Message}", Move);
        }

        var check = new ScratchCheck(folder, free, protectedBytes);
        return free < LeastRoom || check.IsFull
            ? HealthFinding.Fail(
                HealthCheck.ScratchRoom,
                $"The volume of the scratch folder '{folder}' has {free:N0} bytes free; at least {Math.Max(check.RequiredBytes, LeastRoom):N0} are required.",
                Move)
            : check.FindWarning() is { } warning
                ? HealthFinding.Warning(HealthCheck.ScratchRoom, warning.Message, warning.RecommendedAction)
                : HealthFinding.Pass(HealthCheck.ScratchRoom, $"{free:N0} bytes are free; {check.RecommendedBytes:N0} are recommended.");
    }
}
