using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>What a verification has found: a problem for each object or chunk, with what suffers by it. Thread-safe.</summary>
internal sealed class ProblemList
{
    private readonly ConcurrentDictionary<string, Problem> _problems = new(StringComparer.Ordinal);

    /// <summary>Notes a damage; the first that is said of an object stays.</summary>
    /// <returns>Whether more that suffers by it is worth naming.</returns>
    public bool Note(BackupException damage, AffectedItem? affected = null) => Note(damage.Target ?? string.Empty, damage, affected);

    /// <summary>Notes a damage whose error is about something other than the object.</summary>
    public bool Note(string name, BackupException damage, AffectedItem? affected = null) =>
        _problems.GetOrAdd(name, _ => new Problem(damage.Message)).Add(affected);

    /// <summary>Notes what is wrong with an object, where nothing else suffers by it that is worth naming.</summary>
    public void Note(string name, string problem) => _problems.TryAdd(name, new Problem(problem));

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsEmpty => _problems.IsEmpty;

    /// <summary>Takes what another list has.</summary>
    public void Take(ProblemList other)
    {
        foreach ((string name, Problem problem) in other._problems)
        {
            Problem own = _problems.GetOrAdd(name, problem);
            foreach (AffectedItem affected in own == problem ? [] : problem.Affected)
            {
                own.Add(affected);
            }
        }
    }

    /// <summary>Takes back what was said of an object.</summary>
    public void Remove(string name) => _problems.TryRemove(name, out _);

    /// <summary>All of them, by the names of the objects.</summary>
    public IReadOnlyList<VerifyFinding> ToFindings() =>

        [
            .. _problems.OrderBy(problem => problem.Key, StringComparer.Ordinal)
                .Select(problem => new VerifyFinding(problem.Key, problem.Value.Text, problem.Value.Affected)),
        ];

    private sealed class Problem(string text)
    {
        private readonly List<AffectedItem> _affected = [];

        public string Text => text;

        public IReadOnlyList<AffectedItem> Affected
        {
            get
            {
                lock (_affected)
                {
                    return [.. _affected];
                }
            }
        }

        public bool Add(AffectedItem? item)
        {
            lock (_affected)
            {
                if (item is not null && _affected.Count < VerifyFinding.MostAffected && !_affected.Contains(item))
                {
                    _affected.Add(item);
                }

                return _affected.Count < VerifyFinding.MostAffected;
            }
        }
    }
}
