using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What is wrong with a vault, as <c>verify</c> and <c>repair</c> list it.</summary>
internal static class Findings
{
    /// <summary>Lists them.</summary>
    public static void Write(IRenderer renderer, IReadOnlyList<VerifyFinding> findings)
    {
        foreach (VerifyFinding finding in findings)
        {
            renderer.Item(
                new FindingLine(finding.Object, finding.Problem, finding.Affected),
                line => string.Concat($"PROBLEM  {line.Object}: {line.Problem}", string.Concat(line.Affected.Select(item => $"\n         affects {item}"))));
        }
    }
}
